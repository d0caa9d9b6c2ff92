// The messages of a queue, wherever they are in it: looked at, searched, moved, copied and removed. Each call does a bounded
// part of the work and says where the next one goes on; nothing is kept in between.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "admin/call.h"
#include "admin/call_session.h"
#include "admin/json_entry.h"
#include "admin/json_value.h"
#include "admin/message_filter.h"
#include "admin/resources.h"
#include "admin/utf8.h"
#include "node/message_mover.h"
#include "node/walk.h"
#include "protocol/http/codec/base64.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using node::MoveOptions;
using node::Walked;
using node::WalkedMessage;
using node::WalkFrom;
using node::WalkOptions;

// --- bounds of a call: what it does if nothing is said, and at most ---

constexpr std::int64_t page_messages = 100, page_messages_max = 500;
constexpr std::int64_t looked_at_messages = 100'000, looked_at_messages_max = 10'000'000;
constexpr std::int64_t read_bytes = 256LL << 20, read_bytes_max = 4LL << 30;
constexpr std::int64_t time_ms = 2'000, time_ms_max = 20'000;
constexpr std::int64_t shown_bytes = 64LL << 10;     // of a body
constexpr std::uint64_t page_bytes_max = 16U << 20;  // the rest is for the next page

// Where the last call ended, and what was done until then. It goes through the client, who may change it: what it says is
// where to look, and what is shown of the progress.
struct Progress {
  std::uint64_t queue = 0, next = 0, until = 0, looked_at = 0, of = 0, found = 0, done = 0;

  static constexpr std::size_t numbers = 7;
  std::array<std::uint64_t*, numbers> all() {
    return {&queue, &next, &until, &looked_at, &of, &found, &done};
  }
  std::string token() const {
    return fmt::format("1-{:x}-{:x}-{:x}-{:x}-{:x}-{:x}-{:x}", queue, next, until, looked_at, of, found,
                       done);
  }
  static std::optional<Progress> read(std::string_view token) {
    Progress progress;
    if (!token.starts_with("1")) return std::nullopt;
    token.remove_prefix(1);
    for (std::uint64_t* const number : progress.all()) {
      if (!token.starts_with("-")) return std::nullopt;
      const char* const end = token.data() + token.size();
      const auto [after, error] = std::from_chars(token.data() + 1, end, *number, 16);
      if (error != std::errc()) return std::nullopt;
      token.remove_prefix(static_cast<std::size_t>(after - token.data()));
    }
    return token.empty() && progress.queue <= UINT32_MAX ? std::optional(progress) : std::nullopt;
  }
  json::object view() const {
    return {{"looked_at", looked_at},
            {"of", of},
            {"found", found},
            {"next_sequence", next},
            {"end_sequence", until}};
  }
};

// What a call asks for, from its body or, of a GET, from its query.
struct Asked {
  WalkOptions walk;
  Progress before;
  bool goes_on = false;
  bool as_base64 = false;
  std::uint64_t limit = 0;  // 0: none
  std::shared_ptr<const MessageFilter> filter;
};

std::optional<WalkFrom> read_from(const json::value& value) {
  using At = WalkFrom::At;
  if (value.is_number()) {
    json::error_code error;
    const auto number = value.to_number<std::int64_t>(error);
    if (error) return std::nullopt;
    // As with slices: a negative number counts from the end.
    if (number < 0) return WalkFrom{At::last, static_cast<std::uint64_t>(-(number + 1)) + 1};
    return WalkFrom{At::seq, static_cast<std::uint64_t>(number)};
  }
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = value.get_string();
  if (text == "first") return WalkFrom{At::first};
  if (text == "last") return WalkFrom{At::last, 1};
  if (text == "next") return WalkFrom{At::next};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return read_from(json::value(number));
  const auto at_ms = read_time_ms(text);
  if (at_ms) return WalkFrom{At::time, *at_ms};
  return std::nullopt;
}

// Reads what all these calls have in common; the first thing that is wrong is remembered.
class AskedReader {
 public:
  AskedReader(const json::object& from, Asked& into) : from_(from), into_(into) {}

  void read() {
    WalkOptions& walk = into_.walk;
    walk.looked_at_max = number("max_messages", looked_at_messages, looked_at_messages_max);
    walk.read_bytes_max = number("max_bytes", read_bytes, read_bytes_max);
    walk.time_max_ms = number("max_time_ms", time_ms, time_ms_max);
    walk.brought_bytes_max = page_bytes_max;
    read_filter();
    read_start();
  }
  void read_page() {
    WalkOptions& walk = into_.walk;
    walk.count_only = from_.contains("count_only") && from_.at("count_only") == json::value(true);
    const std::uint64_t page = number("page_size", page_messages, page_messages_max);
    walk.found_max = walk.count_only ? 0 : page;
    walk.body_bytes_max = number("truncate", shown_bytes, INT64_MAX, 0);
    const json::value* const encoding = from_.if_contains("encoding");
    into_.as_base64 = encoding != nullptr && *encoding == json::value("base64");
    if (encoding != nullptr && !into_.as_base64 && *encoding != json::value("auto"))
      wrong("Unsupported encoding. Please use auto or base64.");
  }
  // How many it may be in all calls together; none: all.
  void read_limit() {
    into_.limit = number("limit", 0, INT64_MAX);
    if (into_.limit == 0) return;
    if (into_.limit <= into_.before.found) return wrong("limit was reached before");
    into_.walk.found_max = into_.limit - into_.before.found;
  }

  void wrong(std::string what) {
    if (status_) status_ = fail(ErrorCode::invalid_argument, std::move(what));
  }
  const Status& status() const { return status_; }

 private:
  std::uint64_t number(std::string_view key, std::int64_t otherwise, std::int64_t max, std::int64_t min = 1) {
    const json::value* const value = from_.if_contains(key);
    if (value == nullptr) return static_cast<std::uint64_t>(otherwise);
    std::int64_t read = -1;
    if (value->is_string()) {
      const std::string_view text = value->get_string();
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
      if (error != std::errc() || end != text.data() + text.size()) read = -1;
    } else if (value->is_int64()) {
      read = value->get_int64();
    }
    if (read < min) wrong(fmt::format("{} must be a number from {} on", key, min));
    return static_cast<std::uint64_t>(std::clamp(read, min, max));
  }
  void read_filter() {
    const json::value* const value = from_.if_contains("filter");
    if (value == nullptr || value->is_null()) return;
    if (!value->is_object()) return wrong("filter must be an object");
    auto filter = MessageFilter::read(value->get_object());
    if (!filter) return wrong(filter.error().message);
    into_.filter = std::move(*filter);
    if (into_.filter == nullptr) return;
    into_.walk.test = into_.filter;
    into_.walk.received_max_ms = into_.filter->received_to_ms();
  }
  void read_start() {
    const json::value* const token = from_.if_contains("token");
    if (token != nullptr && !token->is_null()) {
      const auto before =
          token->is_string() ? Progress::read(token->get_string()) : std::optional<Progress>();
      if (!before) return wrong("the token is none that this API gave");
      into_.before = *before;
      into_.goes_on = true;
      into_.walk.only = QueueId{static_cast<std::uint32_t>(before->queue)};
      into_.walk.from = {WalkFrom::At::seq, before->next};
      into_.walk.until = Seq{before->until};
      return;
    }
    if (const json::value* const from = from_.if_contains("from")) {
      const auto start = read_from(*from);
      if (!start) return wrong("from is first, last, next, a sequence number, or a time");
      into_.walk.from = *start;
    } else if (into_.filter != nullptr && into_.filter->received_from_ms() > 0) {
      into_.walk.from = {WalkFrom::At::time, into_.filter->received_from_ms()};
    }
  }

  const json::object& from_;
  Asked& into_;
  Status status_;
};

json::object query_of(const Call& call) {
  json::object query;
  for (const std::string_view key :
       {"from", "token", "page_size", "truncate", "encoding", "max_messages", "max_bytes", "max_time_ms"}) {
    const std::string value = call.parameter(key);
    if (!value.empty()) query[key] = value;
  }
  return query;
}

// False: the call is refused.
template <typename More>
bool read_asked(Call& call, const json::object& from, Asked& into, More&& more) {
  into.walk.queue = call.capture("name");
  AskedReader reader(from, into);
  reader.read();
  more(reader);
  return !call.refuse_bad(reader.status());
}

// --- looking ---

struct Showing {
  std::shared_ptr<CallSession> session;
  Asked asked;
  node::WalkedRef walked;
  std::size_t next = 0;
  json::array messages;
};

std::string_view name_of(node::MessageState state) {
  switch (state) {
    case node::MessageState::ready: return "ready";
    case node::MessageState::unacknowledged: return "unacknowledged";
    case node::MessageState::held: break;
  }
  return "held";
}

json::object message_view(const Showing& showing, const WalkedMessage& message) {
  const broker::StoredMessage stored = message.message();
  const PlainMessages& forms = showing.session->call().api().at().messages;
  node::Delivery delivery;
  delivery.message = stored;
  delivery.returns = message.returns;
  const broker::Table properties = forms.properties_of(delivery);
  json::object view;
  view["sequence"] = message.seq.value;
  view["state"] = name_of(message.state);
  view["received_at_ms"] = stored.received_ms;
  view["redelivered"] = message.redelivered;
  view["exchange"] = stored.exchange;
  view["routing_key"] = stored.routing_key;
  view["properties"] = to_json(properties);
  view["payload_bytes"] = message.body_bytes;
  return view;
}

void add_payload(const Showing& showing, json::object& view, std::string_view payload) {
  const bool as_base64 = showing.asked.as_base64 || !is_utf8(payload);
  view["payload"] = as_base64 ? http::base64_encode(payload) : std::string(payload);
  view["payload_encoding"] = as_base64 ? "base64" : "string";
  view["payload_truncated"] = payload.size() < view["payload_bytes"].to_number<std::uint64_t>();
}

// Cut in the middle of a character, text is text still.
std::string_view whole_characters(std::string_view cut, std::uint64_t of_bytes) {
  if (cut.size() == of_bytes || is_utf8(cut)) return cut;
  for (std::size_t fewer = 1; fewer < 4 && fewer < cut.size(); ++fewer) {
    if (is_utf8(cut.substr(0, cut.size() - fewer))) return cut.substr(0, cut.size() - fewer);
  }
  return cut;
}

// As far as the calls before and this one came.
Progress progress_of(const Asked& asked, const Walked& walked) {
  Progress progress = asked.before;
  progress.queue = walked.queue.value;
  progress.next = walked.next.value;
  progress.until = walked.until.value;
  progress.looked_at += walked.looked_at;
  progress.found += walked.found;
  if (!asked.goes_on) progress.of = walked.messages_there;
  return progress;
}

json::object answer_of(const Asked& asked, const Progress& progress, bool at_end, std::uint64_t bodies_unread,
                       std::uint64_t unreadable) {
  const bool done = at_end || (asked.limit != 0 && progress.found >= asked.limit);
  json::object answer;
  answer["done"] = done;
  if (done) {
    answer["token"] = nullptr;
  } else {
    answer["token"] = progress.token();
  }
  answer["progress"] = progress.view();
  answer["bodies_not_searched"] = bodies_unread;
  answer["damaged"] = unreadable;
  return answer;
}

void show_next(const std::shared_ptr<Showing>& showing) {
  Walked& walked = *showing->walked;
  while (showing->next < walked.messages.size()) {
    WalkedMessage& message = walked.messages[showing->next++];
    json::object view = message_view(*showing, message);
    if (message.body == node::no_body) {
      const std::string_view body = as_text(message.message().body);
      add_payload(*showing, view, whole_characters(body, message.body_bytes));
      showing->messages.push_back(std::move(view));
      continue;
    }
    showing->messages.push_back(std::move(view));
    const std::size_t shown = std::min(
        {showing->asked.walk.body_bytes_max, message.body_bytes, static_cast<std::uint64_t>(page_bytes_max)});
    const std::uint64_t all = message.body_bytes;
    return showing->session->read(message.body, shown, [showing, all](const std::string& body) {
      add_payload(*showing, showing->messages.back().get_object(), whole_characters(body, all));
      show_next(showing);
    });
  }
  json::object answer = answer_of(showing->asked, progress_of(showing->asked, walked), walked.done,
                                  walked.bodies_unread, walked.unreadable);
  answer["messages"] = std::move(showing->messages);
  showing->session->call().ok(answer);
}

std::shared_ptr<CallSession> session_on_queue(Call& call) {
  auto session = CallSession::open(call);
  if (session == nullptr ||
      !session->may(broker::Access::read, broker::DestinationKind::queue, call.capture("name")))
    return nullptr;
  return session;
}

void show(Call& call, Asked asked) {
  const auto showing = std::make_shared<Showing>();
  showing->asked = std::move(asked);
  showing->session = session_on_queue(call);
  if (showing->session == nullptr) return;
  showing->session->request([&](node::Session& broker) { broker.walk(showing->asked.walk); },
                            [showing](node::ReplyValue& value) {
                              showing->walked = std::get<node::WalkedRef>(value);
                              show_next(showing);
                            });
}

void browse(Call& call) {
  Asked asked;
  const json::object query = query_of(call);
  if (!read_asked(call, query, asked, [](AskedReader& reader) { reader.read_page(); })) return;
  show(call, std::move(asked));
}

void search(Call& call) {
  const json::object* const body = call.json();
  Asked asked;
  if (body == nullptr || !read_asked(call, *body, asked, [](AskedReader& reader) { reader.read_page(); }))
    return;
  show(call, std::move(asked));
}

// --- removing ---

void remove(Call& call) {
  const json::object* const body = call.json();
  const auto asked = std::make_shared<Asked>();
  if (body == nullptr || !read_asked(call, *body, *asked, [](AskedReader& reader) { reader.read_limit(); }))
    return;
  asked->walk.what = WalkOptions::Do::remove;
  const auto session = session_on_queue(call);
  if (session == nullptr) return;
  session->request([&](node::Session& broker) { broker.walk(asked->walk); },
                   [call = call.keep(), asked](node::ReplyValue& value) {
                     const Walked& walked = *std::get<node::WalkedRef>(value);
                     Progress progress = progress_of(*asked, walked);
                     progress.done += walked.found;
                     json::object answer =
                         answer_of(*asked, progress, walked.done, walked.bodies_unread, walked.unreadable);
                     answer["removed"] = progress.done;
                     call->ok(answer);
                   });
}

// --- moving ---

// "to": {"exchange": "x", "routing_key": "k"}, {"queue": "q"}, or {"redrive": "first"}. The first thing that is wrong is told.
Status read_target(const json::object& body, MoveOptions& move) {
  const json::value* const value = body.if_contains("to");
  if (value == nullptr || !value->is_object())
    return fail(ErrorCode::invalid_argument,
                "to must be an object: exchange and routing_key, queue, or redrive");
  JsonEntry entry(*value, "to", "");
  const bool to_queue = entry.has("queue"), redrives = entry.has("redrive"),
             to_exchange = entry.has("exchange");
  if (to_queue + redrives + to_exchange != 1)
    return fail(ErrorCode::invalid_argument, "to must have one of exchange, queue and redrive");
  if (redrives) {
    const std::string which = entry.required_text("redrive");
    if (which != "first" && which != "last")
      return fail(ErrorCode::invalid_argument, "redrive is first or last: the queue where it died so");
    move.to = which == "first" ? MoveOptions::To::first_death : MoveOptions::To::last_death;
  } else if (to_queue) {
    move.to = MoveOptions::To::queue;
    move.routing_key = entry.required_name("queue");
  } else {
    const std::string exchange = entry.name("exchange");
    move.exchange = exchange == "amq.default" ? "" : exchange;
    if (entry.has("routing_key")) move.routing_key = entry.name("routing_key");
  }
  return entry.status();
}

struct Moving {
  Asked asked;
  std::unique_ptr<node::MessageMover> mover;
};

json::object answer_of(const Asked& asked, const MoveOptions& move, const node::MoveReport& report) {
  Progress progress = asked.before;
  progress.queue = report.queue.value;
  progress.next = report.next.value;
  progress.until = report.until.value;
  progress.looked_at += report.looked_at;
  progress.found += report.found;
  progress.done += report.moved;
  if (!asked.goes_on) progress.of = report.messages_there;
  json::object answer = answer_of(asked, progress, report.done, report.bodies_unread, report.unreadable);
  answer[move.copies ? "copied" : "moved"] = progress.done;
  answer["unroutable"] = report.unroutable;
  answer["rejected"] = report.rejected;
  answer["never_died"] = report.without_death;
  if (!report.stopped.empty()) answer["stopped"] = report.stopped;
  return answer;
}

void move_or_copy(Call& call, bool copies) {
  const json::object* const body = call.json();
  const auto moving = std::make_shared<Moving>();
  if (body == nullptr ||
      !read_asked(call, *body, moving->asked, [](AskedReader& reader) { reader.read_limit(); }))
    return;
  MoveOptions move;
  move.copies = copies;
  if (call.refuse_bad(read_target(*body, move))) return;
  move.walk = moving->asked.walk;
  // Until it has reported, the API keeps it.
  std::weak_ptr<Moving> weak = moving;
  moving->mover = std::make_unique<node::MessageMover>(
      call.api().at().client, move, [call = call.keep(), move, weak](Result<node::MoveReport> report) {
        const std::shared_ptr<Moving> kept = weak.lock();
        if (!report) {
          call->refuse(report.error());
        } else {
          call->ok(answer_of(kept->asked, move, *report));
        }
        call->api().end_work(kept);
      });
  const Status begun = moving->mover->begin({.user = call.user(),
                                             .vhost = call.capture("vhost"),
                                             .protocol = "HTTP",
                                             .client = "management API",
                                             .peer = call.peer(),
                                             .grants = call.identity().grants,
                                             .expires_ms = call.identity().expires_ms});
  if (call.refuse_bad(begun)) return;
  call.api().begin_work(moving);
}

void move(Call& call) { move_or_copy(call, false); }
void copy(Call& call) { move_or_copy(call, true); }

constexpr Route routes[] = {
    {"GET",
     "/api/queues/:vhost/:name/messages",
     Needs::a_user,
     browse,
     "Shows messages at any place of a queue; nothing of it changes",
     {Gives::value,
      {},
      "from:string token:string page_size:integer truncate:integer encoding:string max_messages:integer "
      "max_bytes:integer max_time_ms:integer"}},
    {"POST",
     "/api/queues/:vhost/:name/search",
     Needs::a_user,
     search,
     "Finds messages of a queue; nothing of it changes",
     {Gives::value,
      "filter:object from:any token:string page_size:integer truncate:integer encoding:string "
      "count_only:boolean max_messages:integer max_bytes:integer max_time_ms:integer"},
     small_body_bytes_max,
     false,
     true},
    {"POST",
     "/api/queues/:vhost/:name/move",
     Needs::a_user,
     move,
     "Moves messages of a queue to an exchange, to a queue, or to where they died",
     {Gives::value,
      "to*:object filter:object from:any token:string limit:integer max_messages:integer max_bytes:integer "
      "max_time_ms:integer"}},
    {"POST",
     "/api/queues/:vhost/:name/copy",
     Needs::a_user,
     copy,
     "Copies messages of a queue to an exchange or a queue",
     {Gives::value,
      "to*:object filter:object from:any token:string limit:integer max_messages:integer max_bytes:integer "
      "max_time_ms:integer"}},
    {"POST",
     "/api/queues/:vhost/:name/remove",
     Needs::a_user,
     remove,
     "Removes those messages of a queue that pass a filter",
     {Gives::value,
      "filter:object from:any token:string limit:integer max_messages:integer max_bytes:integer "
      "max_time_ms:integer"}},
};

}  // namespace

std::span<const Route> queue_message_routes() { return routes; }

}  // namespace weir::admin

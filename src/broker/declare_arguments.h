// What it is: the arguments of a queue's declaration: which there are, what values they may have, for which types of
// queue, and whether this server acts on them. One that it does not act on is refused, never ignored.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "broker/message_keys.h"
#include "broker/value.h"

namespace weir::broker {

enum class QueueType : std::uint8_t { classic = 1, quorum = 2, stream = 4 };  // bits of a set

// Of checked arguments.
QueueType queue_type(const Table& arguments);

// Whether a queue that is there can get another value.
enum class Revision : std::uint8_t {
  in_place,
  never,  // its messages are held in a structure that follows from it
};

struct ArgumentRule {
  std::string_view name;
  unsigned types;  // the QueueTypes that have it
  // What is wrong with the value, if something is.
  std::optional<std::string> (*check)(const Value& value, const Table& arguments);
  Revision revision = Revision::in_place;
};
std::span<const ArgumentRule> argument_rules();

// Arguments that no rule names are let through. `resource` is "queue 'q' in vhost '/'".
// precondition_failed: a value is wrong, or not for this type of queue. not_implemented: a stream.
Status check_queue_arguments(const Table& arguments, std::string_view resource);

// A declaration with it, true, gives a queue that is there the arguments that it says, instead of asking for the same. It
// is not kept.
inline constexpr std::string_view update_argument = "x-update-arguments";
// Takes it out. precondition_failed: it is not a bool.
Result<bool> take_update(Table& arguments, std::string_view resource);

// Of a consumer. precondition_failed.
Status check_consumer_arguments(const Table& arguments, std::string_view resource);
// Of checked ones: does it only look at messages?
bool is_browser(const Table& arguments);
// Of checked ones: with which message it begins ("x-stream-offset", as consumers of RabbitMQ's streams say it).
struct BrowseStart {
  enum class At : std::uint8_t {
    first,   // of what is there
    last,    // of what is there, or the next one
    next,    // that comes
    offset,  // the message of this seq, or the first one behind it
    time,    // the first one that came at this Unix time, in seconds, or later
  };
  At at = At::first;
  std::uint64_t value = 0;
};
BrowseStart browse_start(const Table& arguments);
// Of checked ones. Higher comes first.
std::int32_t consumer_priority(const Table& arguments);

// Arguments of any declaration or binding, as they can be stored. invalid_argument: too large, too deep, a key twice.
Status check_storable(const Table& arguments);
inline constexpr std::size_t arguments_bytes_max = 65'536;

}  // namespace weir::broker

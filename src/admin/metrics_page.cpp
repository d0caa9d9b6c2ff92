#include "admin/metrics_page.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/metrics_writer.h"
#include "protocol/http/codec/target.h"

namespace weir::admin {
namespace {

void refuse(http::Exchange& exchange, unsigned status, std::string_view error, std::string_view reason) {
  std::string body = R"({"error":")";
  body.append(error).append(R"(","reason":")").append(reason).append("\"}");
  exchange.reply({status, {{"content-type", "application/json"}}, std::move(body)});
}

Result<MetricsWish> wish_of(std::string_view target) {
  const std::optional<http::Target> parsed = http::parse_target(target);
  if (!parsed) return fail(ErrorCode::invalid_argument, "no target");
  std::string path;
  for (const std::string& segment : parsed->path) path += "/" + segment;
  std::vector<std::pair<std::string, std::string>> query;
  for (const http::Parameter& parameter : parsed->query) query.emplace_back(parameter.name, parameter.value);
  return metrics_wish(path, query);
}

}  // namespace

void MetricsPage::on_head(const std::shared_ptr<http::Exchange>& exchange) { exchange->expect_body(0); }

void MetricsPage::on_request(const std::shared_ptr<http::Exchange>& exchange) {
  const std::string& method = exchange->request().method;
  if (method != "GET" && method != "HEAD") {
    return exchange->reply({405, {{"allow", "GET, HEAD"}}, {}});
  }
  Result<MetricsWish> wish = wish_of(exchange->request().target);
  if (!wish) return refuse(*exchange, 404, "Object Not Found", "Not Found");
  if (scrapes_.size() + writing_ >= scrapes_max)
    return refuse(*exchange, 503, "Service Unavailable", "too many scrapes at once");
  const std::uint64_t number = next_scrape_++;
  Scrape& scrape = scrapes_[number];
  scrape.exchange = exchange;
  scrape.wish = std::move(*wish);
  scrape.question = at_.client.observe(
      scrape.wish.scope(), [this, number](node::Observed&& rows) { observed(number, std::move(rows)); });
}

void MetricsPage::observed(std::uint64_t number, node::Observed&& rows) {
  const auto at = scrapes_.find(number);
  if (at == scrapes_.end()) return;
  Scrape scrape = std::move(at->second);
  scrapes_.erase(at);
  if (!scrape.exchange->alive()) return;
  const broker::Topology& topology = at_.client.topology();
  MetricsValues values;
  values.rows = std::move(rows);
  std::erase_if(values.rows.queues, [&](const node::QueueRow& row) {
    return topology.find_queue(row.queue) == nullptr;  // deleted meanwhile
  });
  values.queue_names.reserve(values.rows.queues.size());
  for (const node::QueueRow& row : values.rows.queues) {
    const broker::QueueDefinition& queue = *topology.find_queue(row.queue);
    values.queue_names.push_back({queue.vhost, queue.name});
  }
  for (const broker::VhostDefinition* vhost : topology.vhosts()) values.vhosts.push_back(vhost->name);
  write(scrape.exchange, std::move(scrape.wish), std::move(values));
}

void MetricsPage::write(const std::shared_ptr<http::Exchange>& exchange, MetricsWish wish,
                        MetricsValues values) {
  struct Work {
    MetricsWish wish;
    MetricsValues values;
    std::string text;
  };
  const auto work = std::make_shared<Work>(Work{std::move(wish), std::move(values), {}});
  ++writing_;
  const bool taken = at_.offload(
      [work, measure = at_.measure] {
        work->values.node = measure();
        work->text = metrics_text(std::move(work->wish), std::move(work->values));
      },
      [this, work, exchange] {
        --writing_;
        exchange->reply({200, {{"content-type", std::string(metrics_content_type)}}, std::move(work->text)});
      });
  if (taken) return;
  --writing_;
  refuse(*exchange, 503, "Service Unavailable", "too much is waiting");
}

}  // namespace weir::admin

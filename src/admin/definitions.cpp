// All definitions, or those of a virtual host, as a file: to take away and to bring back.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "admin/call.h"
#include "admin/definitions_export.h"
#include "admin/definitions_file.h"
#include "admin/definitions_fit.h"
#include "admin/resources.h"
#include "base/log.h"

namespace weir::admin {
namespace {

// What lasts, and what does not but belongs to no connection.
std::vector<broker::Change> definitions_now(const broker::Topology& topology) {
  std::vector<broker::Change> state;
  topology.durable_state(state);
  for (const broker::VhostDefinition* vhost : topology.vhosts()) {
    for (const broker::ExchangeDefinition* exchange : topology.exchanges(vhost->name)) {
      if (!exchange->durable) state.emplace_back(broker::PutExchange{*exchange});
    }
    for (const broker::QueueDefinition* queue : topology.queues(vhost->name)) {
      if (!queue->exclusive && !topology.is_durable(*queue)) state.emplace_back(broker::PutQueue{*queue});
    }
    for (broker::BindingDefinition& binding : topology.bindings(vhost->name)) {
      if (!topology.is_durable(binding)) state.emplace_back(broker::PutBinding{std::move(binding)});
    }
  }
  return state;
}

// Written elsewhere, from a copy: there may be a million bindings.
struct Export {
  std::vector<broker::Change> state;
  std::string vhost;  // empty: all
  std::string text;

  void run() {
    broker::Topology topology;
    for (const broker::Change& change : state) topology.apply(change);
    text = vhost.empty() ? export_definitions(topology) : export_vhost_definitions(topology, vhost);
  }
};

void export_all(Call& call) {
  const auto work = std::make_shared<Export>();
  work->state = definitions_now(call.topology());
  if (call.captures("vhost")) work->vhost = call.capture("vhost");
  call.offload([work] { work->run(); },
               [call = call.keep(), work] { call->reply_json(200, std::move(work->text)); });
}

// Read and tried elsewhere on a copy of the definitions: all of the file is fine, or nothing is done.
struct Import {
  std::string text, default_vhost;
  std::vector<broker::Change> state;
  std::uint16_t shards = 1;
  std::vector<std::string> skipped;
  Result<std::vector<broker::Request>> requests;

  void run() {
    Result<DefinitionsFile> file = parse_definitions(text, default_vhost);
    if (!file) {
      requests = std::unexpected(file.error());
      return;
    }
    skipped = file->skipped;
    requests = fit_definitions(std::move(*file), state, shards);
  }
};

void import_all(Call& call) {
  const auto work = std::make_shared<Import>();
  work->text = call.body();
  work->default_vhost = call.captures("vhost") ? call.capture("vhost") : call.api().facts().default_vhost;
  work->shards = call.api().facts().shards;
  work->state = definitions_now(call.topology());
  call.offload([work] { work->run(); },
               [call = call.keep(), work] {
                 if (!work->requests) return call->bad_request(work->requests.error().message);
                 for (const std::string& skipped : work->skipped)
                   log_warning("admin",
                               "left out of the imported definitions: {}: this build does not know them",
                               skipped);
                 call->decide_all(std::move(*work->requests), [call] { call->no_content(); });
               });
}

constexpr std::string_view sections =
    "vhosts:objects users:objects permissions:objects topic_permissions:objects parameters:objects "
    "global_parameters:objects policies:objects exchanges:objects queues:objects bindings:objects "
    "weir_limits:objects";

constexpr Route routes[] = {
    {"GET", "/api/all-configuration", Needs::administrator, export_all,
     "The same as /api/definitions, by its old name", Gives::value},
    {"POST",
     "/api/all-configuration",
     Needs::administrator,
     import_all,
     "The same as /api/definitions, by its old name",
     {Gives::done, sections},
     definitions_file_bytes_max},
    {"GET", "/api/definitions", Needs::administrator, export_all, "All definitions, as a file", Gives::value},
    {"POST",
     "/api/definitions",
     Needs::administrator,
     import_all,
     "Brings a file of definitions in",
     {Gives::done, sections},
     definitions_file_bytes_max},
    {"GET", "/api/definitions/:vhost", Needs::administrator, export_all,
     "Definitions of a virtual host, as a file", Gives::value},
    {"POST",
     "/api/definitions/:vhost",
     Needs::administrator,
     import_all,
     "Brings a file of definitions into a virtual host",
     {Gives::done, sections},
     definitions_file_bytes_max},
};

}  // namespace

std::span<const Route> definition_routes() { return routes; }

}  // namespace weir::admin

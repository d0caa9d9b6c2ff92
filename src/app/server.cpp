#include "app/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <semaphore>
#include <utility>
#include <vector>

#include "app/admin_service.h"
#include "app/certificate_watch.h"
#include "app/definitions_apply.h"
#include "app/exit_codes.h"
#include "app/file_watch.h"
#include "app/log_drops_watch.h"
#include "app/logging.h"
#include "app/machine.h"
#include "app/metrics_service.h"
#include "app/otlp_exporter.h"
#include "app/ports_file.h"
#include "app/process_signals.h"
#include "app/protocols.h"
#include "app/resource_watch.h"
#include "app/token_login.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/version.h"
#include "broker/own_exchanges.h"
#include "node/node.h"
#include "runtime/lock_file.h"
#include "runtime/systemd_notify.h"
#include "runtime/tls.h"

namespace weir::app {
namespace {

// Open files that are not connections: journals, listeners, the log.
constexpr std::uint64_t open_files_kept_back = 256;

// Ends the start. Thrown and caught in this file.
struct StartFailure {
  int exit_code;
  std::string message;
};

template <typename T>
T require(Result<T> result) {
  if (!result) throw StartFailure{exit_code_of(result.error().code), result.error().message};
  return std::move(*result);
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? std::string(name) : "localhost";
}

void notify(std::string_view state) {
  if (const Status status = runtime::notify_service_manager(state); !status) {
    log_warning("server", "the service manager was not told: {}", status.error().message);
  }
}

// Holds what is in it: nobody else reads messages or hashes of passwords.
void make_data_directory(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::create_directories(path, error)) fs::permissions(path, fs::perms::owner_all, error);
  if (error || !fs::is_directory(path, error)) {
    throw StartFailure{exit_code::cannot_create,
                       fmt::format("can't make the data directory {}: {}", path,
                                   error ? error.message() : "it is not a directory")};
  }
}

constexpr const char* system_ca_file = "/etc/ssl/certs/ca-certificates.crt";

std::string node_name(const Settings& settings) {
  return settings.node_name.empty() ? "weir@" + host_name() : settings.node_name;
}

node::NodeOptions node_options(const Settings& settings) {
  node::NodeOptions options;
  options.data_directory = settings.data_dir;
  options.shards = static_cast<std::uint16_t>(settings.shards);
  // A directory keeps the number that it was made with, whatever this machine has now.
  const bool is_new = !std::filesystem::exists(settings.data_dir + "/node.id");
  if (settings.shards == 0 && is_new) {
    options.shards = static_cast<std::uint16_t>(std::min<std::size_t>(usable_cores(), limits::shards_max));
  }
  options.node_name = node_name(settings);
  options.journal.file_bytes_max = settings.journal_file_bytes_max;
  options.journal.cache_bytes = settings.journal_cache_bytes;
  options.journal.checkpoint_bytes = settings.journal_checkpoint_bytes;
  if (!settings.journal_cleaner) options.journal.clean_gain_bytes = UINT64_MAX;
  options.journal.clean_bytes_per_second = settings.journal_cleaner_bytes_per_second;
  options.journal.scrub_bytes_per_second = settings.journal_scrub_bytes_per_second;
  // Messages in memory alone are counted as they come; the ResourceWatch sees the rest a little later.
  options.transient_bytes_max = settings.memory_high_watermark.of(usable_memory_bytes());
  if (settings.journal_io == "threads") options.loop.ring = runtime::KernelRing::no;
  if (settings.journal_io == "io_uring") options.loop.ring = runtime::KernelRing::all;
  options.loop.threads_instead = settings.journal_io == "auto";
  options.auth.loopback_users = settings.loopback_users;
  options.auth.backends.clear();
  for (const std::string& backend : settings.auth_backends) {
    options.auth.backends.push_back(backend == "oauth2" ? node::AuthBackend::token
                                                        : node::AuthBackend::internal);
  }
  options.headers_of = native_headers();
  options.events = settings.events_exchange;
  options.default_vhost = settings.default_vhost;
  options.default_user = settings.default_user;
  options.default_password = settings.default_pass;
  options.default_tags = settings.default_user_tags;
  options.default_configure = settings.default_permissions[0];
  options.default_write = settings.default_permissions[1];
  options.default_read = settings.default_permissions[2];
  return options;
}

class Server {
 public:
  Server(Settings settings, std::string ports_file)
      : settings_(std::move(settings)), ports_file_(std::move(ports_file)) {}
  ~Server() { stop(); }

  void start();
  Status stop();
  void reload();

 private:
  void load_definitions_again() const;
  void open_tls();
  void start_tracing();
  void start_node();
  void make_event_exchange();
  void watch_resources();
  void watch_files();
  void read_files_again();
  void look_at_certificate() {  // on shard 0
    if (certificate_ != nullptr) certificate_->look();
  }
  void listen_web(ProtocolService& service, std::string_view protocol, const std::string& name,
                  const std::string& address, runtime::TlsContext* tls,
                  const http::WebSocketOptions& options);
  void opened(const Result<std::uint16_t>& port, std::string_view protocol, const std::string& name,
              const std::string& address, bool tls);
  template <typename Service>
  void listen(Service& service, std::string_view protocol, const std::string& name,
              const std::string& address, runtime::TlsContext* tls);
  void tell_ready();

  const Settings settings_;
  const std::string ports_file_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::uint64_t open_files_max_ = 0;
  std::optional<runtime::LockFile> lock_;
  std::unique_ptr<runtime::TlsContext> tls_;
  std::unique_ptr<auth::Oauth2> tokens_;   // null: nobody logs in with one
  std::unique_ptr<OtlpExporter> tracing_;  // null: nothing is traced
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<ResourceWatch> watch_;           // on shard 0
  std::unique_ptr<LogDropsWatch> log_drops_;       // on shard 0
  std::unique_ptr<FileWatch> files_;               // on shard 0; null: SIGHUP alone
  std::unique_ptr<CertificateWatch> certificate_;  // on shard 0; null: there is none
  std::unique_ptr<ConnectionTally> tally_;
  std::unique_ptr<ProtocolService> amqp_, stomp_, mqtt_;
  std::unique_ptr<AdminService> admin_;
  std::unique_ptr<MetricsService> metrics_;
  Ports ports_;
  std::vector<admin::ListenerFacts> listeners_;
};

void Server::start() {
  log_info("server", "weir {} starts, data in {}", version, settings_.data_dir);
  open_files_max_ = raise_open_files_limit();
  std::optional<admin::DefinitionsFile> definitions;
  if (!settings_.load_definitions.empty()) {
    definitions = require(read_definitions_file(settings_.load_definitions, settings_.default_vhost));
  }
  open_tls();
  start_tracing();
  tokens_ = require(make_token_login(settings_));
  make_data_directory(settings_.data_dir);
  lock_ = require(runtime::LockFile::acquire(settings_.data_dir));
  start_node();
  if (settings_.events_exchange) make_event_exchange();
  if (definitions) {
    if (const Status applied = apply_definitions(*node_, std::move(*definitions)); !applied) {
      throw StartFailure{exit_code_of(applied.error().code),
                         fmt::format("{}: {}", settings_.load_definitions, applied.error().message)};
    }
  }
  watch_resources();
  watch_files();
  const std::uint64_t room = open_files_max_ > 2 * open_files_kept_back
                                 ? open_files_max_ - open_files_kept_back
                                 : open_files_max_ / 2;
  const std::uint64_t clients_max = settings_.connections_max == 0 ? room : settings_.connections_max;
  tally_ = std::make_unique<ConnectionTally>(clients_max);
  amqp_ = make_amqp(*node_, settings_, *tally_);
  listen(*amqp_, "amqp", "amqp", settings_.listen_amqp, nullptr);
  listen(*amqp_, "amqp/ssl", "amqps", settings_.listen_amqps, tls_.get());
  stomp_ = make_stomp(*node_, settings_, *tally_);
  listen(*stomp_, "stomp", "stomp", settings_.listen_stomp, nullptr);
  listen(*stomp_, "stomp/ssl", "stomps", settings_.listen_stomps, tls_.get());
  const http::WebSocketOptions web = stomp_web_socket(settings_);
  listen_web(*stomp_, "http/web-stomp", "stomp_ws", settings_.listen_stomp_ws, nullptr, web);
  listen_web(*stomp_, "https/web-stomp", "stomp_wss", settings_.listen_stomp_wss, tls_.get(), web);
  mqtt_ = make_mqtt(*node_, settings_, *tally_);
  listen(*mqtt_, "mqtt", "mqtt", settings_.listen_mqtt, nullptr);
  listen(*mqtt_, "mqtt/ssl", "mqtts", settings_.listen_mqtts, tls_.get());
  const http::WebSocketOptions mqtt_web = mqtt_web_socket(settings_);
  listen_web(*mqtt_, "http/web-mqtt", "mqtt_ws", settings_.listen_mqtt_ws, nullptr, mqtt_web);
  listen_web(*mqtt_, "https/web-mqtt", "mqtt_wss", settings_.listen_mqtt_wss, tls_.get(), mqtt_web);
  admin_ = std::make_unique<AdminService>(*node_, settings_, tls_.get(), clients_max);
  listen(*admin_, "http", "admin", settings_.listen_admin, nullptr);
  listen(*admin_, "https", "admin_tls", settings_.listen_admin_tls, tls_.get());
  metrics_ = std::make_unique<MetricsService>(*node_, settings_);
  listen(*metrics_, "http/prometheus", "metrics", settings_.listen_metrics, nullptr);
  admin_->show(std::move(listeners_));
  tell_ready();
}

// Nothing, where somebody has deleted the vhost.
void Server::make_event_exchange() {
  const broker::ExchangeDefinition made =
      broker::own_exchange(settings_.default_vhost, broker::event_exchange);
  bool there = false;
  node_->run_on(ShardId{0}, [&] {
    there = node_->client(ShardId{0}).topology().find_vhost(settings_.default_vhost) != nullptr;
  });
  if (!there) return;
  broker::DeclareExchange request;
  request.vhost = made.vhost;
  request.name = made.name;
  request.type = broker::to_string(made.type);
  request.durable = made.durable;
  request.internal = made.internal;
  if (const Status declared = node_->administer({std::move(request)}); !declared)
    throw StartFailure{exit_code_of(declared.error().code), declared.error().message};
}

void Server::open_tls() {
  if (settings_.tls_certificate_file.empty()) return;
  tls_ = require(runtime::TlsContext::server({settings_.tls_certificate_file, settings_.tls_key_file,
                                              settings_.tls_ca_file, settings_.tls_require_client_certificate,
                                              static_cast<unsigned>(settings_.tls_verify_depth),
                                              settings_.tls_minimum_version, settings_.tls_ciphers}));
}

void Server::start_tracing() {
  if (settings_.tracing_otlp_url.empty()) return;
  OtlpOptions options;
  Result<OtlpEndpoint> endpoint = parse_otlp_url(settings_.tracing_otlp_url);
  if (!endpoint)
    throw StartFailure{exit_code::config, fmt::format("tracing.otlp_url: {}", endpoint.error().message)};
  options.endpoint = std::move(*endpoint);
  options.resource = {settings_.tracing_service_name, std::string(version), node_name(settings_)};
  options.ca_file = settings_.tracing_ca_file.empty() ? system_ca_file : settings_.tracing_ca_file;
  options.sample_ratio = settings_.tracing_sample_ratio;
  tracing_ = std::make_unique<OtlpExporter>(std::move(options));
}

void Server::start_node() {
  node::NodeOptions options = node_options(settings_);
  options.auth.tokens = tokens_.get();
  options.tracing = tracing_.get();
  node_ = require(node::Node::start(std::move(options)));
}

void Server::watch_resources() {
  const ResourceLimits limits{settings_.memory_high_watermark.of(usable_memory_bytes()),
                              settings_.disk_free_min.of(file_system_bytes(settings_.data_dir)),
                              settings_.data_dir};
  node_->run_on(ShardId{0}, [&] {
    log_drops_ = std::make_unique<LogDropsWatch>(node_->client(ShardId{0}).timers());
    watch_ = std::make_unique<ResourceWatch>(node_->client(ShardId{0}).timers(), limits,
                                             [this](const char* alarm) { node_->set_alarm(alarm); });
  });
}

void Server::watch_files() {
  std::vector<std::string> paths;
  if (tls_ != nullptr) {
    for (const std::string* path :
         {&settings_.tls_certificate_file, &settings_.tls_key_file, &settings_.tls_ca_file}) {
      if (!path->empty()) paths.push_back(*path);
    }
  }
  if (tokens_ != nullptr) paths.push_back(settings_.oauth2_jwks_file);
  node_->run_on(ShardId{0}, [&] {
    node::BrokerClient& shard = node_->client(ShardId{0});
    if (tls_ == nullptr) return;
    certificate_ = std::make_unique<CertificateWatch>(shard.timers(), shard.clock(),
                                                      [this] { return tls_->expires_s(); });
  });
  if (settings_.reload_interval_ms == 0 || paths.empty()) return;
  node_->run_on(ShardId{0}, [&] {
    files_ = std::make_unique<FileWatch>(node_->client(ShardId{0}).timers(), settings_.reload_interval_ms,
                                         std::move(paths), [this] {
                                           read_files_again();
                                           look_at_certificate();
                                         });
  });
}

// On shard 0, or where signals are heard. What can't be read leaves the old one in force.
void Server::read_files_again() {
  if (tls_ != nullptr) {
    const Status read = tls_->reload();
    if (read) log_info("server", "certificates were read anew");
    if (!read) log_error("server", "the old certificates stay: {}", read.error().message);
  }
  if (tokens_ != nullptr) {
    const Status read = read_token_keys(*tokens_, settings_);
    if (read) log_info("server", "the keys of access tokens were read anew");
    if (!read) log_error("server", "the old keys of access tokens stay: {}", read.error().message);
  }
}

template <typename Service>
void Server::listen(Service& service, std::string_view protocol, const std::string& name,
                    const std::string& address, runtime::TlsContext* tls) {
  if (!address.empty()) opened(service.listen(address, tls), protocol, name, address, tls != nullptr);
}

void Server::listen_web(ProtocolService& service, std::string_view protocol, const std::string& name,
                        const std::string& address, runtime::TlsContext* tls,
                        const http::WebSocketOptions& options) {
  if (!address.empty())
    opened(service.listen_web(address, tls, options), protocol, name, address, tls != nullptr);
}

void Server::opened(const Result<std::uint16_t>& port, std::string_view protocol, const std::string& name,
                    const std::string& address, bool tls) {
  if (!port) {
    throw StartFailure{exit_code::address_in_use,
                       fmt::format("listeners.{}: {}", name, port.error().message)};
  }
  ports_.emplace_back(name, *port);
  listeners_.push_back({std::string(protocol), address.substr(0, address.rfind(':')), *port, tls});
  log_info("server", "{} on port {}", name, *port);
}

void Server::tell_ready() {
  if (!ports_file_.empty()) {
    if (const Status written = write_ports_file(ports_file_, ports_); !written) {
      throw StartFailure{exit_code::cannot_create, written.error().message};
    }
  }
  notify("READY=1");
  const auto took = std::chrono::steady_clock::now() - started_;
  log_info("server", "ready after {} ms, {} shards",
           std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), node_->shards());
}

Status Server::stop() {
  if (node_ == nullptr) return {};
  if (metrics_ != nullptr) metrics_->stop();
  if (admin_ != nullptr) admin_->stop();
  for (ProtocolService* const protocol : {amqp_.get(), stomp_.get(), mqtt_.get()}) {
    if (protocol != nullptr) protocol->stop();
  }
  amqp_.reset();
  stomp_.reset();
  mqtt_.reset();
  node_->run_on(ShardId{0}, [&] {
    watch_.reset();
    log_drops_.reset();
    files_.reset();
    certificate_.reset();
  });
  Status status = node_->stop();
  metrics_.reset();  // what it had asked for is answered
  admin_.reset();    // the same
  node_.reset();
  tracing_.reset();
  return status;
}

void Server::reload() {
  notify("RELOADING=1");
  if (const Status opened = reopen_log(); !opened) log_error("server", "{}", opened.error().message);
  read_files_again();
  node_->run_on(ShardId{0}, [&] { look_at_certificate(); });
  load_definitions_again();
  log_info("server", "SIGHUP: log and files were opened anew");
  notify("READY=1");
}

// All of it or nothing; what the file does not name stays.
void Server::load_definitions_again() const {
  if (settings_.load_definitions.empty()) return;
  Result<admin::DefinitionsFile> file =
      read_definitions_file(settings_.load_definitions, settings_.default_vhost);
  const Status applied =
      file ? apply_definitions(*node_, std::move(*file)) : Status(std::unexpected(file.error()));
  if (!applied) log_error("server", "definitions stay as they are: {}", applied.error().message);
}

int serve(Settings settings, const std::string& ports_file, ProcessSignals& signals) {
  Server server(std::move(settings), ports_file);
  try {
    server.start();
  } catch (const StartFailure& failure) {
    log_error("server", "{}", failure.message);
    return failure.exit_code;
  }
  std::binary_semaphore asked_to_stop(0);
  signals.react({[&] { asked_to_stop.release(); }, [&] { server.reload(); }});
  asked_to_stop.acquire();
  signals.react({[] {}, [] {}});  // what they refer to goes
  notify("STOPPING=1");
  if (const Status stopped = server.stop(); !stopped) {
    log_error("server", "not closed in order: {}", stopped.error().message);
    return exit_code_of(stopped.error().code);
  }
  log_info("server", "stopped");
  return exit_code::ok;
}

}  // namespace

int run_server(const ServerOptions& options) {
  LoadedSettings loaded = load_settings(options.sources);
  for (const std::string& problem : loaded.problems) fmt::print(stderr, "weir: {}\n", problem);
  if (!loaded.problems.empty()) return exit_code::config;
  std::signal(SIGPIPE, SIG_IGN);  // a peer that is gone is an error of the write
  ProcessSignals signals;
  if (const Status opened = start_logging(loaded.settings); !opened) {
    fmt::print(stderr, "weir: {}\n", opened.error().message);
    return exit_code::cannot_create;
  }
  for (const std::string& warning : loaded.warnings) log_warning("settings", "{}", warning);
  return serve(std::move(loaded.settings), options.ports_file, signals);
}

}  // namespace weir::app

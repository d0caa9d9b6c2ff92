#include "app/settings_table.h"

#include <fmt/format.h>

#include <cctype>

#include "app/byte_size.h"
#include "base/limits.h"

namespace weir::app {
namespace {

using S = Settings;
using T = SettingType;

constexpr std::uint64_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB, TiB = 1024 * GiB;

constexpr SettingSpec table[] = {
    {"data_dir", T::path, &S::data_dir, "",
     "Where queues and definitions lie. Empty: the directory that systemd gives (StateDirectory=), else "
     "./weir-data "
     "below the working directory. One server at a time."},
    {"shards", T::integer, &S::shards, "0",
     "Event loops, one thread and one journal each. 0: one per core. A data directory keeps the number that "
     "it was "
     "made with.",
     0, limits::shards_max},
    {"node_name", T::string, &S::node_name, "",
     "The node's name as clients see it. Empty: weir@ and the host's name."},
    {"load_definitions", T::path, &S::load_definitions, "",
     "A JSON file with virtual hosts, users, permissions, limits, policies, parameters, exchanges, queues "
     "and "
     "bindings, in the format that RabbitMQ "
     "exports. Applied at every start, and on SIGHUP: what is missing is made, nothing is removed."},

    {"listeners.amqp", T::address, &S::listen_amqp, "0.0.0.0:5672", "AMQP 0-9-1."},
    {"listeners.amqps", T::address, &S::listen_amqps, "",
     "AMQP 0-9-1 over TLS, by convention on port 5671. Needs tls.certificate_file and tls.key_file."},
    {"listeners.mqtt", T::address, &S::listen_mqtt, "0.0.0.0:1883", "MQTT 3.1, 3.1.1 and 5.0. Empty: none."},
    {"listeners.mqtts", T::address, &S::listen_mqtts, "",
     "MQTT over TLS, by convention on port 8883. Needs tls.certificate_file and tls.key_file."},
    {"listeners.mqtt_ws", T::address, &S::listen_mqtt_ws, "",
     "MQTT over WebSocket, by convention on port 15675, at the path /ws: see web_socket.allow_origins."},
    {"listeners.mqtt_wss", T::address, &S::listen_mqtt_wss, "",
     "MQTT over WebSocket over TLS, by convention on port 15676. Needs tls.certificate_file and "
     "tls.key_file."},
    {"listeners.stomp", T::address, &S::listen_stomp, "0.0.0.0:61613",
     "STOMP 1.0, 1.1 and 1.2. Empty: none."},
    {"listeners.stomps", T::address, &S::listen_stomps, "",
     "STOMP over TLS, by convention on port 61614. Needs tls.certificate_file and tls.key_file."},
    {"listeners.stomp_ws", T::address, &S::listen_stomp_ws, "",
     "STOMP over WebSocket, by convention on port 15674, at the path /ws. Pages of any site may use it from "
     "the browsers "
     "of those who can reach it: see web_socket.allow_origins."},
    {"listeners.stomp_wss", T::address, &S::listen_stomp_wss, "",
     "STOMP over WebSocket over TLS, by convention on port 15673. Needs tls.certificate_file and "
     "tls.key_file."},
    {"listeners.kafka", T::address, &S::listen_kafka, "", "Kafka.", 0, 0, {}, {}, false},
    {"listeners.kafkas", T::address, &S::listen_kafkas, "", "Kafka over TLS.", 0, 0, {}, {}, false},
    {"listeners.sqs", T::address, &S::listen_sqs, "", "SQS over HTTP.", 0, 0, {}, {}, false},
    {"listeners.admin", T::address, &S::listen_admin, "0.0.0.0:15672",
     "The management API over HTTP, as RabbitMQ's. Empty: none."},
    {"listeners.admin_tls", T::address, &S::listen_admin_tls, "",
     "The management API over HTTPS, by convention on port 15671. Needs tls.certificate_file and "
     "tls.key_file."},
    {"listeners.metrics", T::address, &S::listen_metrics, "0.0.0.0:15692",
     "What Prometheus scrapes, over HTTP and without a login. Empty: none."},

    {"admin.cors_allow_origins", T::string_list, &S::admin_cors_allow_origins, "[]",
     "Sites whose pages may use the management API from a browser, as https://admin.example; *: any. Empty: "
     "none (no CORS)."},
    {"admin.cors_max_age_s", T::duration, &S::admin_cors_max_age_s, "1800",
     "How long a browser may remember what it was told of other sites' pages. 0: it is not told.", 0, 86'400,
     "s"},

    {"web_socket.allow_origins", T::string_list, &S::web_socket_allow_origins, "*",
     "Sites whose pages may come over WebSocket from a browser, as https://shop.example; *: any. Clients "
     "that are no "
     "browsers name no site and may come."},

    {"log.level",
     T::choice,
     &S::log_level,
     "info",
     "The least level that is logged.",
     0,
     0,
     {},
     "debug|info|warning|error"},
    {"log.format",
     T::choice,
     &S::log_format,
     "text",
     "One line per event: for people, or one JSON object.",
     0,
     0,
     {},
     "text|json"},
    {"log.file", T::path, &S::log_file, "",
     "Where the log goes. Empty: standard error. SIGHUP opens the file anew, for log rotation."},
    {"log.connection_lines_per_second", T::integer, &S::log_connection_lines_per_second, "100",
     "How many lines about connections that come and go there may be, over ten seconds; more are left out, "
     "and "
     "their number is told. 0: any.",
     0, 1'000'000},
    {"log.audit_lines_per_second", T::integer, &S::log_audit_lines_per_second, "1000",
     "The same of the audit: what users do to definitions. 0: any.", 0, 1'000'000},

    {"tracing.otlp_url",
     T::string,
     &S::tracing_otlp_url,
     "",
     "Where traces of messages go: an OpenTelemetry collector's OTLP/HTTP endpoint, as "
     "http://127.0.0.1:4318/v1/traces. "
     "Empty: there is no tracing.",
     0,
     UINT64_MAX,
     {},
     {},
     true,
     true},  // it may hold a password
    {"tracing.sample_ratio", T::fraction, &S::tracing_sample_ratio, "0",
     "Of messages that come without a traceparent header, how many start a trace and get one. Messages that "
     "come with "
     "one are traced if it says so."},
    {"tracing.service_name", T::string, &S::tracing_service_name, "weir", "What traces call this broker."},
    {"tracing.ca_file", T::path, &S::tracing_ca_file, "",
     "Authorities that may have signed the collector's certificate, PEM. Empty: those of the system."},

    {"default_user", T::string, &S::default_user, "guest",
     "Made on the first start of a data directory, with default_pass, default_user_tags and "
     "default_permissions on "
     "default_vhost. Empty: no user is made."},
    {"default_pass",
     T::string,
     &S::default_pass,
     "guest",
     "The password of default_user.",
     0,
     0,
     {},
     {},
     true,
     true},
    {"default_user_tags", T::string_list, &S::default_user_tags, "administrator",
     "The tags of default_user."},
    {"default_vhost", T::string, &S::default_vhost, "/",
     "The virtual host that is made on the first start, and that entries of a definitions file without a "
     "virtual host "
     "belong to."},
    {"default_permissions", T::string_list, &S::default_permissions, R"([".*", ".*", ".*"])",
     "What default_user may configure, write and read: three regular expressions."},
    {"loopback_users", T::string_list, &S::loopback_users, "guest",
     "Users that may connect from this machine only. Give guest another password before you take it off the "
     "list."},

    {"auth.backends", T::string_list, &S::auth_backends, "internal",
     "Who knows users, in the order in which they are asked until one accepts the login: internal (users "
     "with passwords and permissions), oauth2 (access tokens in place of the password)."},
    {"oauth2.jwks_file", T::path, &S::oauth2_jwks_file, "",
     "The keys that access tokens are signed with: a JSON Web Key Set, as whoever gives tokens out "
     "publishes it."},
    {"oauth2.resource_server_id", T::string, &S::oauth2_resource_server_id, "",
     "What this broker is called in tokens: in their audience, and before the scopes that are for it."},
    {"oauth2.scope_prefix", T::string, &S::oauth2_scope_prefix, "",
     "What the scopes begin with that are for this broker. Empty: oauth2.resource_server_id and a point."},
    {"oauth2.verify_audience", T::boolean, &S::oauth2_verify_audience, "true",
     "Refuse tokens without oauth2.resource_server_id in their audience."},
    {"oauth2.issuer", T::string, &S::oauth2_issuer, "", "Refuse tokens of other issuers. Empty: any."},
    {"oauth2.additional_scopes_key", T::string, &S::oauth2_additional_scopes_key, "",
     "Claims that hold scopes, beside scope, separated by spaces; a path has points: realm_access.roles."},
    {"oauth2.preferred_username_claims", T::string_list, &S::oauth2_preferred_username_claims, "[]",
     "Claims that name the user; the first that is there counts. After them come sub and client_id."},
    {"oauth2.algorithms", T::string_list, &S::oauth2_algorithms,
     R"(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"])",
     "How tokens may be signed. HS256, by a secret that both sides have, only counts if it is named."},
    {"oauth2.leeway_s", T::duration, &S::oauth2_leeway_s, "5",
     "How far the clock of whoever gives tokens out may be from this one.", 0, 600, "s"},

    {"reload_interval_ms", T::duration, &S::reload_interval_ms, "10000",
     "How often the files of tls.* and oauth2.* are looked at, and read anew if they have changed. 0: at "
     "SIGHUP alone.",
     0, 86'400'000, "ms"},

    {"tls.certificate_file", T::path, &S::tls_certificate_file, "",
     "Certificate of the TLS listeners and the chain above it, PEM."},
    {"tls.key_file", T::path, &S::tls_key_file, "", "The certificate's private key, PEM."},
    {"tls.ca_file", T::path, &S::tls_ca_file, "", "Authorities that sign clients' certificates, PEM."},
    {"tls.require_client_certificate", T::boolean, &S::tls_require_client_certificate, "false",
     "Refuse clients without a certificate that tls.ca_file vouches for."},
    {"tls.verify_depth", T::integer, &S::tls_verify_depth, "10",
     "How many authorities may stand between a client's certificate and one of tls.ca_file.", 0, 100},
    {"tls.login_from",
     T::choice,
     &S::tls_login_from,
     "distinguished_name",
     "Which user a client's certificate stands for when it logs in by EXTERNAL: its subject, as in "
     "CN=shop,O=Example, or the common name in it.",
     0,
     0,
     {},
     "distinguished_name|common_name"},
    {"tls.minimum_version",
     T::choice,
     &S::tls_minimum_version,
     "TLSv1.2",
     "The oldest protocol version that is spoken.",
     0,
     0,
     {},
     "TLSv1.2|TLSv1.3"},
    {"tls.ciphers", T::string, &S::tls_ciphers, "",
     "Cipher list for TLS 1.2, in OpenSSL's notation. Empty: OpenSSL's default."},

    {"mqtt.exchange", T::string, &S::mqtt_exchange, "amq.topic",
     "The topic exchange that MQTT's topics are routing keys of."},
    {"mqtt.anonymous_user", T::string, &S::mqtt_anonymous_user, "guest",
     "Who a client is that gives no user name (guest: from this machine only). Empty: nobody."},
    {"mqtt.session_expiry_s_max", T::duration, &S::mqtt_session_expiry_s_max, "0",
     "How long a session may outlive its connection. 0: for as long as its client wants.", 0, 4'294'967'294,
     "s"},
    {"mqtt.receive_maximum", T::integer, &S::mqtt_receive_maximum, "1000",
     "Messages by QoS 1 and 2 that a connection may have in flight, either way.", 1, 65535, "messages"},
    {"mqtt.session_bytes_max", T::bytes, &S::mqtt_session_bytes_max, "0",
     "What may wait for one session; then the oldest messages go. 0: no limit."},
    {"mqtt.sys_interval_s", T::duration, &S::mqtt_sys_interval_s, "10",
     "How often the topics of $SYS are told to those who have subscribed to them. 0: never.", 0, 86'400, "s"},

    {"amqp.frame_max", T::bytes, &S::amqp_frame_max, "128KiB",
     "The largest frame that is offered to clients.", 4 * KiB, 16 * MiB},
    {"amqp.channel_max", T::integer, &S::amqp_channel_max, "2047", "The most channels of a connection.", 1,
     65535, "channels"},
    {"amqp.heartbeat_s", T::duration, &S::amqp_heartbeat_s, "60",
     "The heartbeat that is offered to clients. 0: none unless the client asks for it.", 0, 65535, "s"},
    {"amqp.handshake_timeout_ms", T::duration, &S::amqp_handshake_timeout_ms, "10000",
     "How long a client may take from connecting until its connection is open.", 100, 600'000, "ms"},
    {"amqp.consumer_timeout_ms", T::duration, &S::amqp_consumer_timeout_ms, "1800000",
     "How long a delivery may go without an acknowledgement before its channel is closed. A queue can have "
     "its own: "
     "x-consumer-timeout. 0: for ever.",
     0, 4'294'967'295, "ms"},

    {"events.exchange", T::boolean, &S::events_exchange, "true",
     "Whether what happens is published to the exchange amq.rabbitmq.event of default_vhost, which is made "
     "then. Costs nothing while nothing is bound to it."},

    {"limits.message_bytes_max", T::bytes, &S::message_bytes_max, "16MiB",
     "The largest message body. Persistent ones of 256 KiB and more are never in memory as "
     "a whole.",
     1 * KiB, limits::message_bytes_max},
    {"limits.connections_max", T::integer, &S::connections_max, "0",
     "The most client connections. 0: as many as the process may have open files, less 256.", 0, 4'000'000,
     "connections"},

    {"memory.high_watermark", T::bytes_or_fraction, &S::memory_high_watermark, "0.6",
     "Publishers wait while the process uses more memory than this: bytes, or a share of the machine's "
     "memory (of the "
     "container's limit, if there is one).",
     64 * MiB, 1024 * TiB},
    {"disk.free_min", T::bytes_or_fraction, &S::disk_free_min, "1GiB",
     "Publishers wait while the file system of data_dir has less room than this: bytes, or a share of its "
     "size. "
     "Consuming, and with it freeing room, goes on.",
     0, 1024 * TiB},

    {"journal.file_bytes_max", T::bytes, &S::journal_file_bytes_max, "128MiB",
     "How large a journal file may grow. A small log stays small: files begin at 8 MiB.", 8 * MiB, 1 * GiB},
    {"journal.cache_bytes", T::bytes, &S::journal_cache_bytes, "32MiB",
     "How much of a journal's end is kept in memory, per shard, for consumers that keep up.", 1 * MiB,
     64 * GiB},
    {"journal.checkpoint_bytes", T::bytes, &S::journal_checkpoint_bytes, "128MiB",
     "How much of a shard's log a start has to read, about: when it has grown by this and its oldest file is "
     "still needed, a checkpoint is written.",
     1 * MiB, 64 * GiB},
    {"journal.cleaner", T::boolean, &S::journal_cleaner, "true",
     "Move messages out of files that are mostly empty, so that one that nobody takes keeps its own bytes "
     "and "
     "not a file."},
    {"journal.cleaner_bytes_per_second", T::bytes, &S::journal_cleaner_bytes_per_second, "128MiB",
     "How much the cleaner of a shard reads and writes at most.", 1 * MiB, 64 * GiB},
    {"journal.scrub_bytes_per_second", T::bytes, &S::journal_scrub_bytes_per_second, "5MiB",
     "How much of its files a shard reads again, over and over, to see whether they still hold their "
     "checksums. "
     "0: none.",
     0, 64 * GiB},
    {"journal.io",
     T::choice,
     &S::journal_io,
     "auto",
     "How files are read and written. auto: written by threads, which stay quick where other programs share "
     "the "
     "cores, and read by io_uring where there is one. With io_uring the server does not start where the "
     "kernel "
     "refuses it.",
     0,
     0,
     {},
     "auto|io_uring|threads"},
};

std::string words_of_choices(std::string_view choices) {
  std::string words(choices);
  for (std::size_t at = 0, bar; (bar = words.find('|', at)) != std::string::npos;) {
    const bool last = words.find('|', bar + 1) == std::string::npos;
    const std::string_view separator = last ? " or " : ", ";
    words.replace(bar, 1, separator);
    at = bar + separator.size();
  }
  return words;
}

std::string range_in_words(const SettingSpec& spec, std::string (*show)(std::uint64_t)) {
  if (spec.most == UINT64_MAX) return fmt::format("at least {}", show(spec.least));
  return fmt::format("{} to {}", show(spec.least), show(spec.most));
}

std::string show_number(std::uint64_t number) { return fmt::format("{}", number); }

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::span<const SettingSpec> settings_table() { return table; }

const SettingSpec* find_setting(std::string_view name) {
  for (const SettingSpec& spec : table) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

std::string environment_name(const SettingSpec& spec) {
  std::string name = "WEIR_";
  for (const char c : spec.name) {
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string describe_type(const SettingSpec& spec) {
  switch (spec.type) {
    case T::boolean: return "true or false";
    case T::integer: {
      const std::string range = range_in_words(spec, show_number);
      return spec.unit.empty() ? "integer, " + range : fmt::format("integer, {} {}", range, spec.unit);
    }
    case T::bytes: return "bytes, " + range_in_words(spec, show_bytes);
    case T::bytes_or_fraction: return "bytes, or a share such as 0.5";
    case T::fraction: return "a share from 0 to 1";
    case T::duration:
      return fmt::format("{}, {}", spec.unit == "s" ? "seconds" : "milliseconds",
                         range_in_words(spec, show_number));
    case T::string: return "string";
    case T::string_list: return "list of strings";
    case T::choice: return words_of_choices(spec.choices);
    case T::address: return "address";
    case T::path: return "path";
  }
  return {};
}

std::string default_as_toml(const SettingSpec& spec) {
  switch (spec.type) {
    case T::boolean:
    case T::integer:
    case T::fraction:
    case T::duration: return std::string(spec.default_text);
    case T::bytes_or_fraction:
      return spec.default_text.starts_with("0.") ? std::string(spec.default_text) : quoted(spec.default_text);
    case T::string_list:
      return spec.default_text.starts_with('[') ? std::string(spec.default_text)
                                                : '[' + quoted(spec.default_text) + ']';
    case T::bytes:
    case T::string:
    case T::choice:
    case T::address:
    case T::path: return quoted(spec.default_text);
  }
  return {};
}

}  // namespace weir::app

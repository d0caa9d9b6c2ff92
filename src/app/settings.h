// What it is: the settings of a server as typed values. Their names, types, defaults, limits and help are in one table
// (app/settings_table.h), from which the parser, the command line, the environment and docs/settings.md come.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::app {

// So many bytes, or a share of what there is (of memory, of the file system): `fraction` counts if it is above 0.
struct BytesOrFraction {
  std::uint64_t bytes = 0;
  double fraction = 0;

  std::uint64_t of(std::uint64_t whole_bytes) const {
    return fraction > 0 ? static_cast<std::uint64_t>(fraction * static_cast<double>(whole_bytes)) : bytes;
  }
};

// The values here are placeholders of the types: defaults come from the table.
struct Settings {
  std::string data_dir;
  std::uint64_t shards = 0;
  std::string node_name;

  // "host:port"; empty: switched off.
  std::string listen_amqp, listen_amqps;
  std::string mqtt_exchange, mqtt_anonymous_user;
  std::uint64_t mqtt_session_expiry_s_max = 0, mqtt_receive_maximum = 0, mqtt_session_bytes_max = 0;
  std::uint64_t mqtt_sys_interval_s = 0;
  std::string listen_mqtt, listen_mqtts, listen_mqtt_ws, listen_mqtt_wss;
  std::string listen_stomp, listen_stomps, listen_stomp_ws, listen_stomp_wss;
  std::string listen_kafka, listen_kafkas;
  std::string listen_sqs, listen_admin, listen_admin_tls, listen_metrics;

  std::string log_level, log_format, log_file;
  std::uint64_t log_connection_lines_per_second = 0, log_audit_lines_per_second = 0;

  std::string tracing_otlp_url, tracing_service_name, tracing_ca_file;
  double tracing_sample_ratio = 0;

  std::string default_user, default_pass, default_vhost;
  std::vector<std::string> default_user_tags;
  std::vector<std::string> default_permissions;  // configure, write, read
  std::vector<std::string> loopback_users;
  std::string load_definitions;
  std::vector<std::string> admin_cors_allow_origins, web_socket_allow_origins;
  std::uint64_t admin_cors_max_age_s = 0;

  std::vector<std::string> auth_backends;  // in the order in which they are asked
  std::string oauth2_jwks_file, oauth2_resource_server_id, oauth2_scope_prefix, oauth2_issuer,
      oauth2_additional_scopes_key;
  std::vector<std::string> oauth2_preferred_username_claims, oauth2_algorithms;
  std::uint64_t oauth2_leeway_s = 0;
  bool oauth2_verify_audience = true;
  std::uint64_t reload_interval_ms = 0;

  std::string tls_certificate_file, tls_key_file, tls_ca_file, tls_minimum_version, tls_ciphers,
      tls_login_from;
  bool tls_require_client_certificate = false;
  std::uint64_t tls_verify_depth = 0;

  std::uint64_t amqp_frame_max = 0, amqp_channel_max = 0, amqp_heartbeat_s = 0, amqp_handshake_timeout_ms = 0;
  std::uint64_t amqp_consumer_timeout_ms = 0;
  bool events_exchange = true;

  std::uint64_t message_bytes_max = 0, connections_max = 0;
  BytesOrFraction memory_high_watermark;
  BytesOrFraction disk_free_min;

  std::uint64_t journal_file_bytes_max = 0, journal_cache_bytes = 0;
  std::uint64_t journal_checkpoint_bytes = 0, journal_cleaner_bytes_per_second = 0;
  std::uint64_t journal_scrub_bytes_per_second = 0;
  bool journal_cleaner = true;
  std::string journal_io;
};

}  // namespace weir::app

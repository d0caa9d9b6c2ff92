// What it is: the sections of a definitions file, and how an entry of each is read.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "admin/definitions_file.h"
#include "admin/json_entry.h"

namespace weir::admin {

struct Reading {
  DefinitionsFile file;
  std::string default_vhost;

  std::string vhost_of(JsonEntry& entry) const {
    return entry.has("vhost") ? entry.required_name("vhost") : default_vhost;
  }
  template <typename Request>
  void add(Request request) {
    file.requests.emplace_back(std::move(request));
  }
};

struct DefinitionsSection {
  std::string_view key;       // in the file
  std::string_view name_key;  // what names an entry to people
  void (*read)(JsonEntry&, Reading&);
};
// Vhosts, users and what they may.
void read_vhost(JsonEntry& entry, Reading& reading);
void read_user(JsonEntry& entry, Reading& reading);
void read_permission(JsonEntry& entry, Reading& reading);
void read_topic_permission(JsonEntry& entry, Reading& reading);
void read_weir_limits(JsonEntry& entry, Reading& reading);
// What messages go through.
void read_exchange(JsonEntry& entry, Reading& reading);
void read_queue(JsonEntry& entry, Reading& reading);
void read_binding(JsonEntry& entry, Reading& reading);
// What is set for many.
void read_parameter(JsonEntry& entry, Reading& reading);
void read_global_parameter(JsonEntry& entry, Reading& reading);
void read_policy(JsonEntry& entry, Reading& reading);

}  // namespace weir::admin

// What it is: the table of what the management API serves: a method and a path, who may, and who answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/contract.h"

namespace weir::admin {

class Call;

// What a user's tags let it do. A path with ":vhost" asks for access to that vhost besides.
enum class Needs : std::uint8_t {
  nothing,      // not even a user
  a_user,       // any of the tags management, policymaker, monitoring, administrator
  policymaker,  // or administrator
  monitor,      // or administrator
  administrator,
};

inline constexpr std::size_t small_body_bytes_max = 1U << 20;

struct Route {
  std::string_view method;   // GET answers HEAD too
  std::string_view pattern;  // "/api/queues/:vhost/:name": what begins with a colon is captured
  Needs needs = Needs::a_user;
  void (*answer)(Call&) = nullptr;
  std::string_view summary;  // one line, for people
  Contract contract;
  std::size_t body_bytes_max = small_body_bytes_max;
  bool vhost_may_be_missing = false;  // the call is about making it
  bool on_messages = false;           // what clients do all day: the audit has nothing of it
};

using Captures = std::map<std::string, std::string, std::less<>>;

class RouteTable {
 public:
  // Where two patterns fit a path, the one that comes first counts.
  explicit RouteTable(std::span<const Route> routes);

  struct Found {
    const Route* route = nullptr;      // null: there is none for this method
    std::vector<std::string> allowed;  // methods of the path; empty: there is no such path
    Captures captures;
  };
  Found find(std::string_view method, const std::vector<std::string>& path) const;

 private:
  struct Entry {
    const Route* route;
    std::vector<std::string> segments;
  };
  std::vector<Entry> entries_;
};

// All of the API. Each resource adds its own, in a file of its name.
std::vector<Route> api_routes();

}  // namespace weir::admin

// What it is: one object of a definitions file, or a body that says the same, read key by key; the first thing that is wrong
// is remembered with the entry's place and name, so that the reading code needs no error handling of its own.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "broker/value.h"

namespace weir::admin {

class JsonEntry {
 public:
  // `place` is "queues[3]"; `name_key` the key whose text names the entry to people.
  JsonEntry(const boost::json::value& value, std::string place, std::string_view name_key);

  bool has(std::string_view key) const;
  // A name: at most 255 bytes.
  std::string name(std::string_view key);
  // The name of an entry that may not be empty.
  std::string required_name(std::string_view key);
  std::string text_or(std::string_view key, std::string_view otherwise);
  std::string required_text(std::string_view key);
  // Some clients write these as text: "true", "12".
  bool flag(std::string_view key);  // false if it is not there
  std::int64_t integer_or(std::string_view key, std::int64_t otherwise);
  std::vector<std::string> words(std::string_view key);  // "a,b", or a list
  broker::Table table(std::string_view key);
  const boost::json::value* find(std::string_view key) const;

  void refuse(std::string message);
  Status status() const;

 private:
  const std::string* text(std::string_view key);

  const boost::json::object* object_ = nullptr;
  std::string place_;
  std::string error_;
  std::string scratch_;
};

}  // namespace weir::admin

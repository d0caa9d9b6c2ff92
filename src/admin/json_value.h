// What it is: values of the broker as JSON, and JSON as values of the broker.
#pragma once

#include <boost/json.hpp>

#include "base/error.h"
#include "broker/value.h"

namespace weir::admin {

// config: what has no place in a value (a number beyond 64 bits, a key that is too long).
Result<broker::Value> to_value(const boost::json::value& from);
Result<broker::Table> to_table(const boost::json::object& from);

// What JSON has no type for becomes what comes nearest: times are seconds, decimals are numbers.
boost::json::value to_json(const broker::Value& from);
boost::json::object to_json(const broker::Table& from);

}  // namespace weir::admin

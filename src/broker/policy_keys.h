// What it is: the keys of policies: what values they may have, which argument of a queue or an exchange each stands for,
// and what comes out where an argument, a policy and an operator policy say something of the same.
#pragma once

#include <string_view>

#include "base/error.h"
#include "broker/definitions.h"

namespace weir::broker {

inline constexpr std::string_view alternate_exchange_key = "alternate-exchange";

// A policy's definition. invalid_argument, with RabbitMQ's words; not_implemented: this server does not act on a key.
Status check_policy_definition(const Table& definition, bool of_operator);

// Of limits the least counts, of all else what the operator says. Null: there is none.
Table merge_policies(const PolicyDefinition* policy, const PolicyDefinition* of_operator);

// A queue's arguments with what its policies say: of limits the least counts, of all else the argument. Keys that are not
// for the queue's type say nothing.
Table merge_arguments(const Table& arguments, const Table& merged_policies);

// "queues", "all"; empty: no such word.
std::string_view to_string(PolicyTargets targets);
Result<PolicyTargets> parse_policy_targets(std::string_view word);

}  // namespace weir::broker

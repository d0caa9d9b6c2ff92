#include "admin/rights.h"

namespace weir::admin {

Rights rights_of(const std::vector<std::string>& tags) {
  Rights rights;
  for (const std::string& tag : tags) {
    rights.administrator |= tag == "administrator";
    rights.monitor |= tag == "monitoring";
    rights.policymaker |= tag == "policymaker";
    rights.management |= tag == "management";
  }
  rights.monitor |= rights.administrator;
  rights.policymaker |= rights.administrator;
  rights.management |= rights.monitor || rights.policymaker;
  return rights;
}

std::string_view missing_right(const Rights& rights, Needs needs) {
  if (needs == Needs::nothing) return {};
  if (needs == Needs::administrator && !rights.administrator) return "Not administrator user";
  if (needs == Needs::monitor && !rights.monitor) return "Not monitor user";
  if (needs == Needs::policymaker && !rights.policymaker) return "User not authorised to access object";
  return rights.management ? std::string_view() : "Not management user";
}

}  // namespace weir::admin

// What it is: the API as an OpenAPI document, made of the table of routes and of nothing else.
#pragma once

#include <boost/json.hpp>
#include <span>
#include <string_view>

#include "admin/resources.h"

namespace weir::admin {

boost::json::object openapi_document(std::span<const Resource> resources, std::string_view version);

}  // namespace weir::admin

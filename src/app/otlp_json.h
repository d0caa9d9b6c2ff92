// What it is: spans as OTLP/HTTP takes them in JSON: one ExportTraceServiceRequest. Pure.
#pragma once

#include <span>
#include <string>

#include "node/tracing.h"

namespace weir::app {

// Who speaks.
struct OtlpResource {
  std::string service_name, service_version, instance;
};

std::string otlp_json(const OtlpResource& resource, std::span<const node::Span> spans);

}  // namespace weir::app

// Any text is a definitions file or an error with words; nothing else happens.
#include <cstdint>
#include <string_view>

#include "admin/definitions_file.h"
#include "admin/describe_request.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = weir::admin::parse_definitions(text, "/");
  if (!file) {
    WEIR_ASSERT(!file.error().message.empty());
    return 0;
  }
  for (const auto& request : file->requests) WEIR_ASSERT(!weir::admin::describe(request).empty());
  for (const auto& plain : file->plain_passwords) {
    WEIR_ASSERT(plain.request < file->requests.size());
    WEIR_ASSERT(std::holds_alternative<weir::broker::PutUserRequest>(file->requests[plain.request]));
  }
  return 0;
}

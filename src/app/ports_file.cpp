#include "app/ports_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace weir::app {

std::string ports_as_json(const Ports& ports) {
  std::string json = "{";
  for (const auto& [name, port] : ports)
    json += fmt::format("{}\"{}\": {}", json.size() > 1 ? ", " : "", name, port);
  return json + "}\n";
}

Status write_ports_file(const std::string& path, const Ports& ports) {
  const std::string json = ports_as_json(ports), temporary = path + ".tmp";
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return fail_errno(errno, "create " + temporary);
  const ssize_t written = ::write(file, json.data(), json.size());
  const int saved_errno = errno;
  ::close(file);
  if (written != static_cast<ssize_t>(json.size())) {
    ::unlink(temporary.c_str());
    return fail_errno(written < 0 ? saved_errno : ENOSPC, "write " + temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno(errno, "rename " + temporary);
  return {};
}

}  // namespace weir::app

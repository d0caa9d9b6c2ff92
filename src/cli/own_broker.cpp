#include "cli/own_broker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace weir::cli {
namespace {

constexpr std::size_t last_words_bytes = 2'000;

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Between fork and exec: only what is safe in a copy of a process with threads.
[[noreturn]] void become(char* const* arguments, const char* log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpgid(0, 0);  // Ctrl-C is for us, not for it
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (in >= 0) ::dup2(in, STDIN_FILENO);
  if (out >= 0) {
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
  }
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

OwnBroker::OwnBroker(std::string program, std::string parent)
    : program_(std::move(program)), parent_(std::move(parent)) {}

OwnBroker::~OwnBroker() {
  kill();
  std::error_code error;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, error);
}

std::vector<std::string> OwnBroker::arguments() const {
  return {program_,       "server",
          "--data-dir",   file("data"),
          "--ports-file", file("ports.json"),
          "--set",        fmt::format("listeners.amqp=127.0.0.1:{}", amqp_port_),
          "--set",        fmt::format("listeners.admin=127.0.0.1:{}", admin_port_),
          "--set",        "listeners.metrics=",
          "--set",        "listeners.stomp=",
          "--set",        "listeners.mqtt="};
}

Status OwnBroker::spawn() {
  if (directory_.empty()) {
    std::string name = parent_ + "/weir-demo-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) return fail_errno(errno, parent_);
    directory_ = name;
  }
  ready_ = false;
  ::unlink(file("ports.json").c_str());
  std::vector<std::string> words = arguments();
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const std::string log = file("log");
  const pid_t child = ::fork();
  if (child < 0) return fail_errno(errno, "fork");
  if (child == 0) become(pointers.data(), log.c_str());
  pid_ = child;
  return {};
}

OwnBroker::State OwnBroker::look() {
  if (pid_ < 0) return State::ended;
  if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
    pid_ = -1;
    return State::ended;
  }
  if (!ready_) ready_ = read_ports();
  return ready_ ? State::ready : State::starting;
}

// The file appears whole.
bool OwnBroker::read_ports() {
  boost::system::error_code error;
  const boost::json::value ports = boost::json::parse(contents_of(file("ports.json")), error);
  if (error || !ports.is_object()) return false;
  for (auto& [name, port] :
       {std::pair<const char*, std::uint16_t&>("amqp", amqp_port_), {"admin", admin_port_}}) {
    const boost::json::value* const value = ports.as_object().if_contains(name);
    if (value == nullptr || !value->is_int64()) return false;
    port = static_cast<std::uint16_t>(value->as_int64());
  }
  return true;
}

void OwnBroker::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  ready_ = false;
}

std::string OwnBroker::last_words() const {
  const std::string log = contents_of(file("log"));
  return log.size() > last_words_bytes ? log.substr(log.size() - last_words_bytes) : log;
}

}  // namespace weir::cli

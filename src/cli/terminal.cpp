#include "cli/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string_view>

namespace weir::cli {
namespace {

constexpr std::string_view enter_sequence = "\x1b[?1049h\x1b[?25l\x1b[2J";
constexpr std::string_view leave_sequence = "\x1b[0m\x1b[?25h\x1b[?1049l";
constexpr int fatal_signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT};

// What a signal handler needs to put the terminal back.
bool entered = false;
bool had_keys = false;
termios before{};

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void put_back() {
  if (!entered) return;
  entered = false;
  write_all(leave_sequence);
  if (had_keys) ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

// The handler is gone when it runs (SA_RESETHAND): the signal does then what it does.
void on_fatal(int signal) {
  put_back();
  ::raise(signal);
}

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

bool shows_on_terminal() {
  const char* const term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) != 0 && !(term != nullptr && std::string_view(term) == "dumb");
}

Paint terminal_paint() {
  const char* const no = std::getenv("NO_COLOR");
  return Paint(shows_on_terminal() && (no == nullptr || *no == '\0'));
}

TerminalScreen::TerminalScreen() { enter(); }
TerminalScreen::~TerminalScreen() { leave(); }

void TerminalScreen::enter() {
  had_keys = ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (had_keys) {
    termios keys = before;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C and Ctrl-Z stay signals
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  }
  entered = true;
  struct sigaction action{};
  action.sa_handler = on_fatal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : fatal_signals) ::sigaction(signal, &action, nullptr);
  write_all(enter_sequence);
}

void TerminalScreen::leave() {
  put_back();
  for (const int signal : fatal_signals) std::signal(signal, SIG_DFL);
}

TerminalSize TerminalScreen::size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

void TerminalScreen::show(const std::vector<std::string>& lines) {
  const TerminalSize at = size();
  std::string picture = "\x1b[H";
  for (std::size_t i = 0; i < lines.size() && i < at.rows; ++i) {
    if (i > 0) picture += "\r\n";
    picture += clipped(lines[i], at.columns) + "\x1b[K";
  }
  write_all(picture + "\x1b[J");
}

TerminalEvents::TerminalEvents() {
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

TerminalEvents::~TerminalEvents() {
  if (signals_ >= 0) ::close(signals_);
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

TerminalEvents::Event TerminalEvents::wait(std::uint64_t ms, TerminalScreen* screen) {
  pollfd waits[2] = {{signals_, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  const nfds_t count = screen != nullptr && keys_ ? 2 : 1;
  if (::poll(waits, count, static_cast<int>(ms)) <= 0) return {};
  if (waits[0].revents != 0) return on_signal(screen);
  char key = 0;
  if (::read(STDIN_FILENO, &key, 1) == 1) return {Kind::key, key, 0};
  keys_ = false;
  return {};
}

TerminalEvents::Event TerminalEvents::on_signal(TerminalScreen* screen) {
  signalfd_siginfo info{};
  if (::read(signals_, &info, sizeof info) != sizeof info) return {};
  const auto signal = static_cast<int>(info.ssi_signo);
  if (signal == SIGWINCH) return {Kind::resized, 0, 0};
  if (signal != SIGTSTP) return {Kind::end, 0, signal};
  if (screen != nullptr) screen->leave();
  ::raise(SIGSTOP);
  if (screen != nullptr) screen->enter();
  return {Kind::resized, 0, 0};
}

}  // namespace weir::cli

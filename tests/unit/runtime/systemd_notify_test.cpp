#include "runtime/systemd_notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

namespace weir::runtime {
namespace {

class SystemdNotify : public testing::Test {
 protected:
  SystemdNotify() {
    std::string pattern = testing::TempDir() + "weir-notify-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~SystemdNotify() override {
    ::unsetenv("NOTIFY_SOCKET");
    if (manager_ >= 0) ::close(manager_);
    std::filesystem::remove_all(directory_);
  }
  // Plays the service manager; `name` as in NOTIFY_SOCKET.
  void listen_at(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    manager_ = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(::bind(manager_, reinterpret_cast<sockaddr*>(&address), length), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  std::string heard() {
    char buffer[64];
    const ssize_t length = ::recv(manager_, buffer, sizeof buffer, MSG_DONTWAIT);
    return length < 0 ? "nothing" : std::string(buffer, static_cast<std::size_t>(length));
  }
  std::string directory_;
  int manager_ = -1;
};

TEST_F(SystemdNotify, without_a_service_manager_nothing_happens) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(notify_service_manager("READY=1"));
}

TEST_F(SystemdNotify, the_state_arrives_at_a_socket_in_the_file_system) {
  listen_at(directory_ + "/notify");
  ASSERT_TRUE(notify_service_manager("READY=1"));
  EXPECT_EQ(heard(), "READY=1");
  EXPECT_EQ(heard(), "nothing");
}

TEST_F(SystemdNotify, the_state_arrives_at_an_abstract_socket) {
  listen_at("@weir-test-" + std::to_string(::getpid()));
  ASSERT_TRUE(notify_service_manager("STOPPING=1"));
  EXPECT_EQ(heard(), "STOPPING=1");
}

TEST_F(SystemdNotify, an_address_that_is_none_is_refused) {
  ::setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
  EXPECT_EQ(notify_service_manager("READY=1").error().code, ErrorCode::invalid_argument);
  ::setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
  EXPECT_EQ(notify_service_manager("READY=1").error().code, ErrorCode::invalid_argument);
}

TEST_F(SystemdNotify, a_manager_that_is_gone_is_an_io_error) {
  ::setenv("NOTIFY_SOCKET", (directory_ + "/gone").c_str(), 1);
  EXPECT_EQ(notify_service_manager("READY=1").error().code, ErrorCode::io_error);
}

}  // namespace
}  // namespace weir::runtime

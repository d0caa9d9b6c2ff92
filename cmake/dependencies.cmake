# Third-party libraries, all from Debian (tools/packages.txt). Which layer links which is in layers.cmake.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS headers json)
find_package(toml11 REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(uring REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)

option(WEIR_JEMALLOC "Link the weir binary with jemalloc" OFF)
if(WEIR_JEMALLOC AND WEIR_SANITIZE)
  message(FATAL_ERROR "WEIR_JEMALLOC replaces the allocator that the sanitizers need: switch one of them off")
endif()
if(WEIR_JEMALLOC)
  pkg_check_modules(jemalloc REQUIRED IMPORTED_TARGET jemalloc)
endif()

# Our use of Asio: header-only, no deprecated interfaces.
add_library(weir_asio INTERFACE)
target_link_libraries(weir_asio INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(weir_asio INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY
                                               BOOST_ERROR_CODE_HEADER_ONLY)

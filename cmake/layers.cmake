# One static library per layer, from a glob over its folder. The link graph is that of src/layers.txt.

configure_file(${CMAKE_SOURCE_DIR}/cmake/version.h.in ${CMAKE_BINARY_DIR}/generated/base/version.h @ONLY)

# weir_layer(weir_<layer> FOLDER <below src> [EXCLUDE regex] [LINK library…] [PRECOMPILE header…])
# A folder without a .cpp becomes an INTERFACE library: it can be linked before it has code.
function(weir_layer target)
  cmake_parse_arguments(arg "" "FOLDER;EXCLUDE" "LINK;PRECOMPILE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${arg_FOLDER}/*.cpp)
  if(arg_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${arg_EXCLUDE}")
  endif()
  if(sources)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
    target_link_libraries(${target} PUBLIC ${arg_LINK} PRIVATE weir_options)
    weir_precompile(${target} ${WEIR_PCH_STD} ${arg_PRECOMPILE})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
    target_link_libraries(${target} INTERFACE ${arg_LINK})
  endif()
  set_property(GLOBAL APPEND PROPERTY WEIR_LAYERS ${target})
endfunction()

weir_layer(weir_base FOLDER base LINK fmt::fmt PkgConfig::isal)
weir_layer(weir_broker FOLDER broker LINK weir_base)
weir_layer(weir_runtime FOLDER runtime LINK weir_base Threads::Threads OpenSSL::SSL OpenSSL::Crypto PkgConfig::uring)
weir_layer(weir_storage FOLDER storage LINK weir_base weir_runtime)
weir_layer(weir_node FOLDER node LINK weir_base weir_runtime weir_storage weir_broker PkgConfig::sodium)

weir_layer(weir_auth FOLDER auth LINK weir_base weir_broker weir_runtime weir_node Boost::json)

# Protocols: src/protocol/<p>/codec is weir_<p>_codec, the rest of src/protocol/<p> is weir_<p>;
# src/protocol/common is weir_protocol_common.
weir_layer(weir_protocol_common FOLDER protocol/common LINK weir_base weir_runtime weir_node)
file(GLOB_RECURSE protocol_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/src/protocol
     ${CMAKE_SOURCE_DIR}/src/protocol/*.h ${CMAKE_SOURCE_DIR}/src/protocol/*.cpp)
list(TRANSFORM protocol_files REPLACE "/.*" "" OUTPUT_VARIABLE WEIR_PROTOCOLS)
list(APPEND WEIR_PROTOCOLS amqp091)
list(REMOVE_DUPLICATES WEIR_PROTOCOLS)
list(REMOVE_ITEM WEIR_PROTOCOLS common)
foreach(protocol IN LISTS WEIR_PROTOCOLS)
  weir_layer(weir_${protocol}_codec FOLDER protocol/${protocol}/codec LINK weir_base)
  weir_layer(weir_${protocol} FOLDER protocol/${protocol} EXCLUDE "/codec/"
             LINK weir_base weir_runtime weir_node weir_protocol_common weir_${protocol}_codec)
  list(APPEND WEIR_FRONT_ENDS weir_${protocol})
  list(APPEND WEIR_CODECS weir_${protocol}_codec)
endforeach()

# Beast parses requests; it is of no use without the headers of Asio.
target_link_libraries(weir_http_codec PRIVATE weir_asio)

weir_layer(weir_admin FOLDER admin LINK weir_base weir_broker weir_runtime weir_node weir_protocol_common weir_http
           Boost::json PRECOMPILE <boost/json.hpp>)
weir_layer(weir_cli FOLDER cli LINK weir_base weir_runtime weir_storage weir_broker ${WEIR_CODECS} CLI11::CLI11)
weir_layer(weir_app FOLDER app EXCLUDE "/app/main\\.cpp$"
           LINK weir_base weir_runtime weir_storage weir_broker weir_node weir_auth ${WEIR_FRONT_ENDS} weir_admin weir_cli
                toml11::toml11 CLI11::CLI11 spdlog::spdlog Boost::json)

file(GLOB main_source CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/app/main.cpp)
if(main_source)
  add_executable(weir ${main_source})
  target_link_libraries(weir PRIVATE weir_app weir_options)
  if(WEIR_JEMALLOC)
    # Before every other library, so that its malloc is the one that is found.
    target_link_options(weir PRIVATE "SHELL:-Wl,--no-as-needed ${jemalloc_LINK_LIBRARIES} -Wl,--as-needed")
  endif()
  install(TARGETS weir)
endif()

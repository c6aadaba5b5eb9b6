# precompile_test_headers(target): GoogleTest and the headers that nearly every test takes are read once a target, which
# saves a tenth of the processor time of a test's file (agent_test.cpp 5.7 s -> 4.9 s, executor_test.cpp 5.1 s -> 4.6 s).
#
# ccache takes a precompiled header for unknown unless it is told not to mind its definitions and times.
function(precompile_test_headers target)
  target_precompile_headers(${target} PRIVATE
    <algorithm> <functional> <map> <memory> <optional> <set> <string> <string_view> <vector>
    <fmt/format.h> <gmock/gmock.h> <gtest/gtest.h> "${CMAKE_SOURCE_DIR}/common/base/result.hpp")
  if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "(^|/)ccache$")
    set_property(TARGET ${target} PROPERTY CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CMAKE_CXX_COMPILER_LAUNCHER})
  endif()
endfunction()

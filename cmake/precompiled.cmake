# precompile_test_headers(target): GoogleTest and the headers that nearly every test takes are read once a target, which
# halves the time that a test's file takes (9.2 s -> 4.0 s of executor_test.cpp with sanitizers).
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

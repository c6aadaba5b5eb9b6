if(DISKLESS_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "fuzzers need clang: cmake --preset asan")
  endif()
  # coverage in every part, the fuzzing main only in the fuzzers
  set(DISKLESS_SANITIZE address,undefined)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(DISKLESS_SANITIZE)
  # Null pointers show at their use, by the address sanitizer; to look for them beforehand, and for wrong types behind
  # virtual calls, costs a quarter of the compile time.
  add_compile_options(-fsanitize=${DISKLESS_SANITIZE} -fno-sanitize=null,vptr -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DISKLESS_SANITIZE})
endif()

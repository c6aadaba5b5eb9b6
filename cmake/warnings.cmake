add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Wunused
                    -Woverloaded-virtual -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough
                    -Wno-missing-field-initializers)  # designated initialisers leave fields out on purpose
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # false positives of GCC 12 with optional and expected
  add_compile_options(-Wno-maybe-uninitialized -Wno-null-dereference)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options(-Wno-gnu-statement-expression)
endif()
if(DISKLESS_WERROR)
  add_compile_options(-Werror)
endif()

# diskless::mount, ::udev, ::nl, ::program_options, ::sodium: what common/os and the node program link.
#   DISKLESS_STATIC_NODE=OFF  the distribution's shared libraries
#   DISKLESS_STATIC_NODE=ON   archives: ours from cmake/static-libs (built once, cached), the distribution's for the rest
# diskless_node_program(TARGET): link options of what goes to nodes; makes TARGET-stripped and reports its size.

if(DISKLESS_STATIC_NODE)
  execute_process(COMMAND ${CMAKE_SOURCE_DIR}/cmake/static-libs
                  OUTPUT_VARIABLE static_libs OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "no static libraries for the node program (the reason is above); "
                        "-DDISKLESS_STATIC_NODE=OFF builds without them")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               ${CMAKE_SOURCE_DIR}/cmake/static-libs ${CMAKE_SOURCE_DIR}/cmake/static-libs.lock)
endif()

# diskless_node_library(NAME INCLUDE folders... SHARED names... STATIC names...)
function(diskless_node_library name)
  cmake_parse_arguments(LIB "" "" "INCLUDE;SHARED;STATIC" ${ARGN})
  add_library(diskless::${name} INTERFACE IMPORTED GLOBAL)
  if(LIB_INCLUDE)
    target_include_directories(diskless::${name} INTERFACE ${LIB_INCLUDE})
  endif()
  if(NOT DISKLESS_STATIC_NODE)
    set(wanted ${LIB_SHARED})

  else()
    set(wanted ${LIB_STATIC})
  endif()
  foreach(library ${wanted})
    unset(found_${library} CACHE)  # another version of static-libs is another folder
    if(DISKLESS_STATIC_NODE)
      find_library(found_${library} NAMES lib${library}.a HINTS ${static_libs}/lib)
    else()
      find_library(found_${library} NAMES ${library})
    endif()
    if(NOT found_${library})
      message(FATAL_ERROR "library ${library} is absent: run tests/install-deps build")
    endif()
    mark_as_advanced(found_${library})
    target_link_libraries(diskless::${name} INTERFACE ${found_${library}})
  endforeach()
endfunction()

if(DISKLESS_STATIC_NODE)
  set(mount_include ${static_libs}/include ${static_libs}/include/libmount ${static_libs}/include/blkid)
  set(udev_include ${static_libs}/include)
else()
  set(mount_include /usr/include/libmount)
  set(udev_include "")
endif()
# In the node program init/slim answers for libblkid, so that nothing is taken from this archive.
diskless_node_library(mount INCLUDE ${mount_include} SHARED mount STATIC mount blkid)
diskless_node_library(udev INCLUDE ${udev_include} SHARED udev STATIC udev cap)
diskless_node_library(nl INCLUDE /usr/include/libnl3 SHARED nl-route-3 nl-3 STATIC nl-route-3 nl-3)
diskless_node_library(program_options SHARED boost_program_options STATIC boost_program_options)
diskless_node_library(sodium SHARED sodium STATIC sodium)

function(diskless_node_program target)
  target_link_options(${target} PRIVATE -Wl,--gc-sections)
  if(NOT DISKLESS_STATIC_NODE)
    return()
  endif()
  # Static, at a fixed address (crtbeginT.o of Debian is not for static-pie); the first -L makes -lc the copy without
  # unwind tables; no pages are wasted between text and data, and no relro where nothing is relocated.
  target_link_options(${target} PRIVATE -static -no-pie -L${static_libs}/lib
                      -Wl,-z,noseparate-code -Wl,-z,norelro -Wl,--build-id=none)
  target_link_libraries(${target} PRIVATE diskless_slim)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${CMAKE_STRIP} --strip-all -o $<TARGET_FILE:${target}>-stripped $<TARGET_FILE:${target}>
    COMMAND sh -c "printf '%s: %s bytes stripped, %s with zstd -19\\n' ${target} $(stat -c %s $1) $(zstd -19 -qc $1 | wc -c)"
            sh $<TARGET_FILE:${target}>-stripped
    VERBATIM)
endfunction()

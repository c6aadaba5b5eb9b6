if(DISKLESS_SANITIZE)
  add_compile_options(-fsanitize=${DISKLESS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DISKLESS_SANITIZE})
endif()

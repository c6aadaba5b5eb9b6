# cmake --install: the helper finds the node program in lib/diskless; the hooks look below /usr alone (--prefix /usr).
install(TARGETS diskless-server DESTINATION sbin)
foreach(name pxeos pxeboot)  # Red Hat's names of the same program
  install(CODE "file(CREATE_LINK diskless-server \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/sbin/${name}\" SYMBOLIC)")
endforeach()
if(DISKLESS_STATIC_NODE)  # one that needs libraries boots no node
  install(PROGRAMS $<TARGET_FILE:diskless-init>-stripped DESTINATION lib/diskless RENAME diskless-init)
  install(CODE "file(CREATE_LINK ../lib/diskless/diskless-init
                     \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/sbin/disklessctl\" SYMBOLIC)")
endif()

install(PROGRAMS initramfs/hooks/initramfs-tools/hook DESTINATION share/initramfs-tools/hooks RENAME diskless)
install(PROGRAMS initramfs/hooks/initramfs-tools/takeover DESTINATION share/diskless/initramfs-tools)
install(PROGRAMS initramfs/hooks/dracut/99diskless/module-setup.sh initramfs/hooks/dracut/99diskless/init
  DESTINATION lib/dracut/modules.d/99diskless)

foreach(section 7 8)
  install(DIRECTORY docs/ DESTINATION share/man/man${section} FILES_MATCHING PATTERN "*.${section}" PATTERN recipes EXCLUDE)
endforeach()

#!/bin/bash
# dracut module: puts the node program, the modules that diskless nodes need and the manifest into the image, and makes
# the program process 1. An image that has it boots a diskless node unless the kernel is told rd.diskless=0.

# Only on request (--add diskless): it takes over the boot.
check() {
    require_binaries diskless-server || return 1
    [[ -x ${DISKLESS_INIT:-/usr/lib/diskless/diskless-init} ]] || return 1
    return 255
}

# /init of "base" or "systemd-initrd" must be in place before ours takes its name.
depends() {
    echo base
    return 0
}

installkernel() {
    local module
    hostonly='' instmods $(diskless-server initramfs modules --kernel "$kernel")
}

install() {
    inst_simple "${DISKLESS_INIT:-/usr/lib/diskless/diskless-init}" /sbin/diskless-init
    inst_multiple mount cat
    mkdir -p "$initdir/etc/diskless" "$initdir/proc"

    # dracut installs the kernel modules of all its modules before it calls install() of any.
    diskless-server initramfs manifest --kernel "$kernel" --for-tree "$initdir" \
        > "$initdir/etc/diskless/manifest" || return 1

    if [[ -e $initdir/init || -L $initdir/init ]] && [[ ! -e $initdir/init.dracut ]]; then
        mv "$initdir/init" "$initdir/init.dracut"
    fi
    inst_script "$moddir/init" /init
}

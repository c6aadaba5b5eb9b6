#!/bin/bash
# shellcheck disable=SC2154 # dracut sets kernel, initdir, moddir
# dracut module: puts the node program, the modules that diskless nodes need and the manifest into the image, and makes
# the program process 1. An image that has it boots a diskless node unless the kernel is told rd.diskless=0.

# DISKLESS_SERVER names the helper where it is not on dracut's own PATH.
server=${DISKLESS_SERVER:-diskless-server}

# Only on request (--add diskless): it takes over the boot.
check() {
    command -v "$server" >/dev/null || return 1
    [[ -x ${DISKLESS_INIT:-/usr/lib/diskless/diskless-init} ]] || return 1
    return 255
}

# /init of "base" (number 99 in old releases) or "systemd" must be in place before ours takes its name: dracut goes by
# number and then by name, and so this module is 99diskless.
depends() {
    echo base
    return 0
}

installkernel() {
    local modules
    modules=$("$server" initramfs modules --kernel "$kernel") || return 1
    # One word a module name; not only those that this machine has.
    # shellcheck disable=SC2086
    hostonly='' instmods $modules || return 1

    # Here and not in install(), which dracut calls before this: the manifest lists the module files that are there.
    mkdir -p "$initdir/etc/diskless"
    "$server" initramfs manifest --kernel "$kernel" --for-tree "$initdir" \
        > "$initdir/etc/diskless/manifest" || {
        derror "diskless: no manifest, so this image cannot boot"
        return 1
    }
}

install() {
    inst_simple "${DISKLESS_INIT:-/usr/lib/diskless/diskless-init}" /sbin/diskless-init
    inst_multiple mount cat
    mkdir -p "$initdir/proc"

    if [[ -e $initdir/init || -L $initdir/init ]] && [[ ! -e $initdir/init.dracut ]]; then
        mv "$initdir/init" "$initdir/init.dracut"
    fi
    inst_script "$moddir/init" /init
}

// The table of kernel parameters: what it says of one parameter, and what its handlers write to.
//
// Words are handled one after the other into a Reading; what only the whole command line can decide (which of two
// ip= is meant, whether a gateway fits its network) is decided by settle() when all have been read.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "init/command_line.hpp"
#include "init/config.hpp"

namespace diskless {

struct Parameter;

/// A setting that several parameters can make: the higher rank wins, the later one among equals.
template <class T>
struct Chosen {
    std::optional<T> value;
    int rank = -2;  // of nothing

    void offer(T candidate, int its_rank) {
        if (its_rank < rank) return;
        value = std::move(candidate);
        rank = its_rank;
    }
};

/// One ip= as it was read.
struct IpReading {
    InterfaceConfig interface;
    bool bare = false;  // only a word for the method, nothing that names an interface or an address
    Word word;
    bool from_defaults = false;
};

/// A file that holds the root, and the parameter that named it.
struct ImageReading {
    std::string file;
    Word word;
};

struct Reading {
    BootConfig config;
    const Parameter* parameter = nullptr;  // the row that is being handled
    bool from_defaults = false;            // the word comes from the image's manifest
    bool live_boot = false;                // boot=live is somewhere: ip= may be in live-boot's order

    // Root
    std::optional<Word> root_word;  // named the path
    bool root_from_defaults = false;
    std::optional<Word> lease_word;   // root=dhcp
    Chosen<RootMode> root_mode;       // NFS option < ro, rw < rd.overlay < diskless.mode=
    Chosen<ImageReading> root_image;  // boot=live, root=live: < diskless.image=
    std::vector<Word> more_options;   // nfsopts=, rootflags=
    std::vector<Word> snapshot_options;

    // Network
    std::vector<IpReading> ips;
    std::vector<std::string> devices;  // ethdevice=
    std::optional<Word> gateway;       // anaconda's way of writing ip=
    std::optional<std::uint8_t> prefix;
    std::optional<std::uint16_t> mtu;
    bool use_boot_mac = true;
    Chosen<Milliseconds> network_timeout;

    Chosen<std::string> hostname, init;
    Chosen<FailureConfig> failure;

    /// Rank of an offer: the command line is above the manifest, whatever the parameter.
    int rank(int among_parameters = 0) const { return among_parameters + (from_defaults ? 0 : 10); }

    void warn(const Word& word, std::string message, std::string remedy = {});
};

struct Parameter {
    std::string_view group;     // heading in the manual
    std::string_view names;     // "ip nfsaddrs": spellings of the same parameter; a final "*" takes every name so begun
    std::string_view argument;  // how the value is written, for the manual; empty: a word without value
    std::string_view origin;   // kernel, dracut, anaconda, Red Hat, initramfs-tools, live-boot, systemd, PXELINUX, ours
    std::string_view meaning;  // one sentence, with units; for what is not supported: what is done instead
    void (*handle)(Reading&, const Word&);
};

/// Every row, in the order of the manual.
std::span<const Parameter> parameters();
/// The row of a name; nothing when it is no parameter of ours.
const Parameter* find_parameter(std::string_view name);
/// The table as lists of mdoc(7): the middle of docs/diskless.7.
std::string parameters_man();

// Handlers that need a file of their own.
void read_ip(Reading& reading, const Word& word);          // params_ip.cpp
void read_root(Reading& reading, const Word& word);        // params_root.cpp: root=
void read_nfsroot(Reading& reading, const Word& word);     // nfsroot=
void read_red_hat_nfsroot(Reading& reading, const Word&);  // NFSROOT=
void read_image(Reading& reading, const Word& word);       // diskless.image=
void read_live_boot(Reading& reading, const Word& word);   // boot=live
void read_snapshot(Reading& reading, const Word& word);    // diskless.snapshot=
void read_swap(Reading& reading, const Word& word);        // params_swap.cpp

/// "[server[,server]:]path[,options]" and its kin, into `source`; ro and rw of the options go to reading.root_mode.
void read_nfs_source(Reading& reading, const Word& word, std::string_view text, NfsSource& source);
/// "nolock,vers=3" added to the source's options: versions, ro and rw taken out, what cannot work left out.
void add_nfs_options(Reading& reading, const Word& word, std::string_view text, NfsSource& source);

/// What remains to be decided when every word has been handled.
void settle_network(Reading& reading);
void settle_root(Reading& reading);

bool is_interface_name(std::string_view text);
bool is_hostname(std::string_view text);

}  // namespace diskless

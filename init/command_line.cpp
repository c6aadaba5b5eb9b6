#include "init/command_line.hpp"

#include <algorithm>
#include <array>

namespace diskless {

namespace {

// The kernel's isspace(), and the NUL that ends what it hands out.
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

// Flags of the kernel itself (admin-guide/kernel-parameters) that are seen on real nodes. What is not listed goes to
// init, which ignores words it does not know.
constexpr std::array<std::string_view, 78> kKernelFlags{{
    "acpi_force_table_verification",
    "apm",
    "bootconfig",
    "debug",
    "earlycon",
    "earlyprintk",
    "efi_no_storage_paranoia",
    "highres",
    "ignore_loglevel",
    "initcall_debug",
    "irqfixup",
    "irqpoll",
    "kaslr",
    "keep_bootcon",
    "kgdbwait",
    "libata",
    "mce",
    "no-kvmapf",
    "no-kvmclock",
    "no-steal-acc",
    "no_console_suspend",
    "no_file_caps",
    "no_hash_pointers",
    "no_timer_check",
    "noacpi",
    "noapic",
    "noautogroup",
    "nobats",
    "nocache",
    "noclflush",
    "noefi",
    "noexec",
    "nofpu",
    "nofxsr",
    "nogbpages",
    "nohibernate",
    "nohlt",
    "nohugeiomap",
    "nohz",
    "noinitrd",
    "noinvpcid",
    "noirqdebug",
    "nokaslr",
    "nolapic",
    "nolapic_timer",
    "nomce",
    "nomodeset",
    "nomodule",
    "nopat",
    "nopcid",
    "nopku",
    "nopti",
    "nopvspin",
    "norandmaps",
    "nordrand",
    "noreplace-smp",
    "noresume",
    "nosmap",
    "nosmep",
    "nosmp",
    "nosmt",
    "nosoftlockup",
    "nospec_store_bypass_disable",
    "nospectre_v1",
    "nospectre_v2",
    "notsc",
    "nousb",
    "nowatchdog",
    "nox2apic",
    "noxsave",
    "quiet",
    "ro",
    "rootwait",
    "rw",
    "slab_nomerge",
    "slub_nomerge",
    "sysrq_always_enabled",
    "threadirqs",
}};

std::string_view without_continuation(std::string_view text) {
    while (!text.empty() && text.back() == '\\') text.remove_suffix(1);
    return text;
}

Word make_word(std::string_view raw) {
    raw = without_continuation(raw);
    if (raw.size() >= 2 && raw.front() == '"') {
        raw.remove_prefix(1);
        if (raw.back() == '"') raw.remove_suffix(1);
    }
    Word word;
    word.text = std::string(raw);
    const auto equals = raw.find('=');
    if (equals == 0 || equals == std::string_view::npos) {  // a leading "=" is part of the name for the kernel
        word.name = std::string(unquoted(raw));
        return word;
    }
    auto value = raw.substr(equals + 1);
    if (!value.empty() && value.front() == '"') {
        value.remove_prefix(1);
        if (!value.empty() && value.back() == '"') value.remove_suffix(1);
    }
    word.name = std::string(raw.substr(0, equals));
    word.value = std::string(unquoted(value));
    return word;
}

}  // namespace

std::string_view unquoted(std::string_view text) {
    if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front())
        return text.substr(1, text.size() - 2);
    return text;
}

CommandLine read_command_line(std::string_view text) {
    CommandLine line;
    bool dashes = false;
    std::size_t at = 0;
    while (at < text.size()) {
        if (is_blank(text[at])) {
            ++at;
            continue;
        }
        const auto start = at;
        bool quoted = false;
        for (; at < text.size() && (quoted || !is_blank(text[at])); ++at)
            if (text[at] == '"') quoted = !quoted;
        auto word = make_word(text.substr(start, at - start));
        if (word.text.empty()) continue;
        if (dashes)
            line.after_dashes.push_back(std::move(word.text));
        else if (word.text == "--")
            dashes = true;
        else
            line.words.push_back(std::move(word));
    }
    return line;
}

bool same_parameter_name(std::string_view a, std::string_view b) {
    const bool upper = std::any_of(b.begin(), b.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) {
        if (upper) return x == y;
        return (x == '_' ? '-' : x) == (y == '_' ? '-' : y);
    });
}

bool is_kernel_flag(std::string_view name) {
    return std::any_of(kKernelFlags.begin(), kKernelFlags.end(),
                       [&](std::string_view flag) { return same_parameter_name(name, flag); });
}

}  // namespace diskless

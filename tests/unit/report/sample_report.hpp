// A boot with everything in it: overlap, retries, a degraded step, state entries.
#pragma once

#include "common/report/boot_report.hpp"

namespace diskless::test_report {

inline StepReport step(std::string id, std::string sentence, int start_ms, int end_ms, int attempts = 1) {
    StepReport report;
    report.id = std::move(id);
    report.sentence = std::move(sentence);
    report.outcome = StepOutcome::done;
    report.started = Milliseconds{start_ms};
    report.ended = Milliseconds{end_ms};
    report.attempts = attempts;
    return report;
}

inline BootReport sample_report() {
    BootReport report;
    report.version = "0.1.0";
    report.kernel = "6.1.0-40-cloud-amd64";
    report.image_parameters = "diskless.watchdog=60";
    report.command_line = "root=/dev/nfs nfsroot=10.9.0.1:/srv/root ip=dhcp";
    report.started = Milliseconds{1800};
    report.handed_over = Milliseconds{2730};
    report.wall_started = 1'795'000'000;
    report.init = "/sbin/init";
    report.steps = {step("api-filesystems", "mount proc, sys, dev, run", 1800, 1815),
                    step("load-drivers", "load the modules of 3 devices", 1815, 1960),
                    step("network", "get an address by DHCP", 1962, 2250, 2),
                    step("set-time", "ask 10.9.0.1 for the time", 2251, 2650),
                    step("mount-root", "mount 10.9.0.1:/srv/root on /sysroot", 2252, 2480),
                    step("state", "mount 31 state entries", 2481, 2700)};
    report.steps[2].notes = {"eth0 has carrier", "lease of 10.9.0.21 for 1 h"};
    report.steps[3].outcome = StepOutcome::degraded;
    report.steps[3].cause = "no answer from 10.9.0.1 in 0.4 s";
    report.steps[3].remedy = "name a time server: diskless.ntp=";
    report.warnings = {"ip=: a fourth field is missing"};
    report.interface = "eth0";
    report.mac = "52:54:00:12:34:56";
    report.lease.source = LeaseSource::dhcp;
    report.lease.address = Ipv4(10, 9, 0, 21);
    report.lease.prefix = 24;
    report.lease.routers = {Ipv4(10, 9, 0, 1)};
    report.lease.routes = {{Ipv4(10, 0, 0, 0), 8, Ipv4(10, 9, 0, 254)}};
    report.lease.dns = {Ipv4(10, 9, 0, 2), Ipv4(10, 9, 0, 3)};
    report.lease.server_id = Ipv4(10, 9, 0, 1);
    report.lease.client_id = {1, 0x52, 0x54, 0, 0x12, 0x34, 0xff};
    report.lease.mtu = 9000;
    report.lease.lease_time = Seconds{3600};
    report.lease.obtained = Milliseconds{2240};
    report.root = {"10.9.0.1", "/srv/root", "4.2", "ro,hard,timeo=600", "ro", "2026-11-20"};
    report.snapshot = {"node07", "10.9.0.1", "/srv/snapshots/node07", "mounted", "rw,vers=3,port=2050"};
    report.time = {"snapshot", Milliseconds{1234}};
    report.identity = {"node07", "DHCP", "example.org", "", "0123456789abcdef0123456789abcdef", "snapshot"};
    report.state = {{"/etc/hostname", "persistent", "/srv/snapshots/node07/etc/hostname", 7, ""},
                    {"/var/log", "empty", "tmpfs", 0, ""}};
    return report;
}

}  // namespace diskless::test_report

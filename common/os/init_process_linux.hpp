// PID 1 on the real kernel.
#pragma once

#include "common/os/descriptor.hpp"
#include "common/os/init_process.hpp"
#include "common/os/service_logs_linux.hpp"

namespace diskless {

class LinuxInitProcess final : public InitProcess {
  public:
    struct Options {
        bool cgroups = true;              // mounts the hierarchy where there is none
        const char* logs = kServiceLogs;  // where what services print is kept
    };
    /// Blocks the signals it listens to (they stay blocked over exec, so that none is lost there), has Ctrl-Alt-Del
    /// sent as SIGINT, makes /run/initctl. What fails is told by problems(); a PID 1 must go on without.
    explicit LinuxInitProcess(Options options);

    void turn(Deadline deadline, InitEvents& events) override;
    Result<int> start(const ServiceStart& start) override;
    void signal(const std::string& name, int pid, int number) noexcept override;
    void forget(const std::string& name) noexcept override;
    void note(std::string_view name, std::string_view line) noexcept override { logs_.note(name, line); }
    void keep_logs_of(const std::vector<std::string>& names) noexcept override { logs_.keep(names); }
    int record(const std::vector<LoginRecord>& records) override;
    void open_fifo() override;
    const std::vector<Error>& problems() const override { return problems_; }

  private:
    static int fork_plain();
    void prepare_cgroups();
    void read_fifo(InitEvents& events);
    [[noreturn]] void become(const ServiceStart& start) const;

    Descriptor signals_, fifo_;
    bool has_cgroups_ = false;
    bool more_ = false;  // there is more to collect than one turn does
    ServiceLogs logs_;
    Nanoseconds logs_due_{0};
    std::vector<Error> problems_;
};

/// Writes them to utmp (/var/run/utmp, else /run/utmp; made when it is not there) and wtmp (left alone when it is not
/// there). The files may be on NFS: call it in a child.
void write_login_records(const std::vector<LoginRecord>& records, const char* utmp = nullptr,
                         const char* wtmp = "/var/log/wtmp");

}  // namespace diskless

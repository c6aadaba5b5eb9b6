#pragma once

#include "common/os/machine.hpp"

namespace diskless {

class LinuxMachine final : public Machine {
  public:
    Result<> set_hostname(const std::string& name) override;
    Result<> set_nis_domain(const std::string& name) override;
    std::string kernel_release() const override;
    std::uint64_t random() override;
    Result<std::string> secret(std::size_t bytes, Deadline deadline) override;
    void say(int level, std::string_view line) override;
    void sync() override;
    Error power(PowerVerb verb) override;
    Result<> sysrq(char key) override;
    Result<> swap_on(const std::string& path) override;
    Result<> swap_off(const std::string& path) override;
    Result<> load_kernel(const std::string& kernel, const std::string& initramfs,
                         const std::string& command_line) override;
    Result<> switch_root(const std::string& path) override;
    Result<> pivot_root(const std::string& path, const std::string& old_root) override;
};

/// The record say() writes: "<6>diskless: line", printable, at most 900 bytes, with its newline.
std::string kernel_log_record(int level, std::string_view line);

}  // namespace diskless

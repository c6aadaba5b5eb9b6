// The commands of disklessctl, a source file each. All return their exit code.
#pragma once

#include "agent/control_protocol.hpp"
#include "agent/ctl/ctl.hpp"
#include "agent/ctl/options.hpp"
#include "common/report/node_status.hpp"

namespace diskless::ctl {

int status(CtlWorld& world, const ParsedOptions& options);
int report(CtlWorld& world, const ParsedOptions& options);
int plan(CtlWorld& world, const ParsedOptions& options);
int state(CtlWorld& world, const ParsedOptions& options);
int check(CtlWorld& world, const ParsedOptions& options);
int metrics(CtlWorld& world, const ParsedOptions& options);
int log(CtlWorld& world, const ParsedOptions& options);
int reload(CtlWorld& world, const ParsedOptions& options);
int version(CtlWorld& world, const ParsedOptions& options);
int reboot(CtlWorld& world, const ParsedOptions& options);
int poweroff(CtlWorld& world, const ParsedOptions& options);
int kexec(CtlWorld& world, const ParsedOptions& options);
int halt(CtlWorld& world, const ParsedOptions& options);

/// "disklessctl: cause", "  remedy" on standard error.
int failed(CtlWorld& world, const Error& error);
int bad_usage(CtlWorld& world, std::string_view command, std::string_view what);

/// Asks the agent; its answer's content.
Result<Json> ask_agent(CtlWorld& world, const ControlRequest& request);
/// The boot report of this node from RAM; an error in plain words where there is none (not a diskless node).
Result<BootReport> boot_report(CtlWorld& world);
/// The agent's status, or what the boot report and the clock tell when the agent does not answer.
Result<NodeStatus> node_status_now(CtlWorld& world);
/// Is it the agent's?
bool agent_answers(const NodeStatus& status);

}  // namespace diskless::ctl

#include "common/os/machine.hpp"

namespace diskless {

std::string_view text(PowerVerb verb) {
    switch (verb) {
        case PowerVerb::reboot:
            return "reboot";
        case PowerVerb::poweroff:
            return "poweroff";
        case PowerVerb::halt:
            return "halt";
        case PowerVerb::kexec:
            return "kexec";
    }
    return "?";
}

}  // namespace diskless

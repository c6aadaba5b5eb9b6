// Finds the interface that leads to the root: every candidate is brought up and asked at once, each in its own state;
// the first whose lease yields a root server that answers wins, the others are put back.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/plan/step.hpp"
#include "init/network/candidates.hpp"

namespace diskless {

struct FoundNetwork {
    Link link;
    Lease lease;
    NfsSource root;  // servers: those that answered first
};

class NetworkSearch {
  public:
    /// `load_drivers` loads drivers of devices that have come late, true when there were any: called while there is no
    /// interface, or none that leads anywhere.
    NetworkSearch(StepContext& context, const BootConfig& config, std::function<bool()> load_drivers = {});
    ~NetworkSearch();

    /// Until a root server answered, or the context's deadline: then the error says what each interface was waiting
    /// for.
    Result<FoundNetwork> run();

  private:
    struct Attempt;  // one candidate on its way
    /// A link that does not let itself be set up: its driver lacks firmware, say.
    struct Broken {
        std::string problem;  // with its name
        bool no_firmware = false;
        Nanoseconds again{0};
    };
    void look_for_links();
    void look_for_drivers(Nanoseconds elapsed);
    bool set_up(const Link& link);
    bool preferred_only(Nanoseconds elapsed);
    void begin(Attempt& attempt);
    void give_up_for_now(Attempt& attempt);
    void begin_afresh(Attempt& attempt);
    void act(Attempt& attempt, LeaseActions actions);
    void receive(Attempt& attempt);
    void configure(Attempt& attempt);
    Result<> set_routes(const Attempt& attempt);
    void probe(Attempt& attempt);
    void wait();
    std::string waiting_text() const;
    FoundNetwork finish(Attempt& winner);

    StepContext& context_;
    Os& os_;
    const BootConfig& config_;
    std::function<bool()> load_drivers_;
    std::vector<std::unique_ptr<Attempt>> attempts_;
    std::map<int, Broken> broken_;  // by index
    Nanoseconds started_{0};
    Nanoseconds look_again_{0};
    bool preference_given_up_ = false;
    bool all_have_carrier_ = false;
};

}  // namespace diskless

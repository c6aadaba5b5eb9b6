// A pair of Ethernet links that are wired to one another, made and looked at by iproute2.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace diskless {

/// Standard output of a shell command.
inline std::string shown(const std::string& command) {
    std::string text;
    std::FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return "?";
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
    pclose(pipe);
    return text;
}

class VethPair {
  public:
    VethPair(const std::string& near, const std::string& far) : far_(far) {
        // no IPv6: its router solicitations would be packets that no test expects
        problem_ =
            shown("ip link add " + near + " type veth peer name " + far + " 2>&1 && for i in " + near + " " + far +
                  "; do ! test -e /proc/sys/net/ipv6/conf/$i || ip link set $i addrgenmode none; done 2>&1");
    }
    ~VethPair() { shown("ip link del " + far_ + " 2>/dev/null"); }
    VethPair(const VethPair&) = delete;
    VethPair& operator=(const VethPair&) = delete;

    std::string problem() const { return problem_; }

  private:
    std::string far_, problem_;
};

}  // namespace diskless

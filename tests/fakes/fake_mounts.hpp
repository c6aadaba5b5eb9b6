// A mount table over FakeFiles: refuses an absent target, shows the bound content, read-only binds refuse writes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/os/mounts.hpp"
#include "tests/fakes/fake_files.hpp"

namespace diskless {

class FakeMounts : public Mounts {
  public:
    explicit FakeMounts(FakeFiles& files) : files_(files) {}

    /// Makes `source` ("10.9.0.1:/srv/root") mountable: it shows what is at `path` in the fake tree.
    void provide(const std::string& source, const std::string& path) { provided_[source] = path; }
    /// Fails mounts and binds onto this target with this errno.
    void refuse(const std::string& target, int code) { refused_[target] = code; }
    void allow(const std::string& target) { refused_.erase(target); }
    /// "target <- source [ro]" of everything that was mounted here, in order.
    std::vector<std::string> lines() const;
    std::vector<MountRequest> requests;        // of mount(), in order
    std::map<std::string, int> refused_types;  // errno by file system type: "nfs" is version 3, "nfs4" the later ones
    std::set<std::string> overlay_refuses;     // options that this kernel's overlayfs does not know
    int refuse_move = 0;                       // an errno: nothing can be moved

    Result<> mount(const MountRequest& request) override;
    Result<> bind(const std::string& source, const std::string& target, bool read_only,
                  const std::string& options = {}) override;
    Result<> bind_tree(const std::string& source, const std::string& target) override;
    Result<> move(const std::string& from, const std::string& to) override;
    Result<> remount(const std::string& target, const std::string& options) override;
    Result<> unmount(const std::string& target, Unmount how = Unmount::normal) override;
    Result<bool> would_let_write(const std::string& target) override;
    Result<std::vector<MountEntry>> table() const override;
    bool knows_type(const std::string& type) const override { return known_types.contains(type); }

    std::map<std::string, bool> known_types{{"tmpfs", true}, {"proc", true}, {"sysfs", true},
                                            {"nfs", true},   {"nfs4", true}, {"devtmpfs", true}};

  private:
    Result<> attach(const std::string& target, FakeFiles::NodePtr root, bool read_only, std::string source,
                    std::string type, std::string root_path, std::string options);
    Result<FakeFiles::NodePtr> overlay_of(const MountRequest& request);
    FakeFiles::Mounted* mounted_at(const std::string& target);

    FakeFiles& files_;
    std::map<std::string, std::string> provided_;
    std::map<std::string, int> refused_;
};

}  // namespace diskless

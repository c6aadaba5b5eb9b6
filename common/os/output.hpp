// Where a command writes to: a descriptor on a node, a string in a test.
#pragma once

#include <string>
#include <string_view>

namespace diskless {

class Output {
  public:
    virtual ~Output() = default;
    virtual void write(std::string_view text) = 0;
    /// errno of the first text that was not taken; 0: all were.
    virtual int problem() const { return 0; }
};

class StringOutput : public Output {
  public:
    void write(std::string_view text) override { text_ += text; }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

/// Writes through to an open descriptor, whole texts; what a closed pipe or a full disk refuses is lost.
class FileOutput : public Output {
  public:
    explicit FileOutput(int descriptor) : descriptor_(descriptor) {}
    void write(std::string_view text) override;
    int problem() const override { return problem_; }

  private:
    int descriptor_;
    int problem_ = 0;
};

}  // namespace diskless

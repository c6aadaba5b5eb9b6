// The lean form of a kernel module: enough to run it, without what a kernel takes long over when it loads one. What is
// left out is found when the image is built (initramfs/module_elf.cpp); the file stays whole, for kernels that want
// its signature.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/os/devices.hpp"

namespace diskless {

/// Hides the form's sections in the object and takes out the tracer's calls; false when the form is of another object,
/// which may then be half changed.
bool make_lean(std::span<char> elf, const LeanForm& form);

/// Takes the calls of `tracer` (index of a symbol: __fentry__, which functions call first) out of all code, as the
/// kernel's function tracer does with those that __mcount_loc names when it loads a module: 5-byte NOPs, and no
/// relocation. Its way is slow: it looks every function up among all symbols of the module. Returns how many calls; 0
/// for what is no object of x86-64, where nothing is changed.
std::size_t take_out_tracer_calls(std::span<char> elf, std::uint64_t tracer);

}  // namespace diskless

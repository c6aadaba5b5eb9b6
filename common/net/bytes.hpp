// Network byte order in and out of plain byte strings. The reader never leaves its text: what is read past the end is
// zero or empty, and ok() is false from then on, so that a parser may read on and ask once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/net/address.hpp"

namespace diskless {

class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

    bool ok() const { return ok_; }
    std::size_t left() const { return rest_.size(); }
    std::string_view rest() const { return rest_; }

    std::string_view bytes(std::size_t count) {
        if (count > rest_.size()) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const auto taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }
    Ipv4 ipv4() { return Ipv4(u32()); }
    Mac mac() {
        Mac result;
        const auto taken = bytes(6);
        for (std::size_t i = 0; i < taken.size(); ++i) result.bytes[i] = static_cast<std::uint8_t>(taken[i]);
        return result;
    }

  private:
    std::uint64_t number(std::size_t count) {
        std::uint64_t value = 0;
        for (const char c : bytes(count)) value = value << 8 | static_cast<std::uint8_t>(c);
        return value;
    }

    std::string_view rest_;
    bool ok_ = true;
};

class ByteWriter {
  public:
    void u8(std::uint8_t value) { bytes_ += static_cast<char>(value); }
    void u16(std::uint16_t value) { number(value, 2); }
    void u32(std::uint32_t value) { number(value, 4); }
    void u64(std::uint64_t value) { number(value, 8); }
    void ipv4(Ipv4 address) { u32(address.value); }
    void mac(const Mac& mac) {
        for (const auto byte : mac.bytes) u8(byte);
    }
    void bytes(std::string_view text) { bytes_ += text; }
    void zeros(std::size_t count) { bytes_.append(count, '\0'); }
    /// Fills up with zeros to a total of `size` bytes; more stays as it is.
    void pad_to(std::size_t size) {
        if (bytes_.size() < size) zeros(size - bytes_.size());
    }
    std::size_t size() const { return bytes_.size(); }
    std::string take() { return std::move(bytes_); }

  private:
    void number(std::uint64_t value, int count) {
        for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) u8(static_cast<std::uint8_t>(value >> shift));
    }

    std::string bytes_;
};

}  // namespace diskless

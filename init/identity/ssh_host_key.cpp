#include "init/identity/ssh_host_key.hpp"

#include <sodium.h>

#include <array>
#include <vector>

namespace diskless {

namespace {

/// RFC 4251 section 5: uint32 and string.
void put_number(std::string& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255);
}
void put_string(std::string& out, std::string_view bytes) {
    put_number(out, static_cast<std::uint32_t>(bytes.size()));
    out += bytes;
}

std::string base64(std::string_view bytes) {
    std::vector<char> text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL));
    sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    return text.data();
}

constexpr std::string_view kType = "ssh-ed25519";

}  // namespace

SshHostKey make_ssh_host_key(std::string_view seed, std::string_view comment) {
    std::array<unsigned char, crypto_sign_SEEDBYTES> seed_bytes{};
    for (std::size_t i = 0; i < seed_bytes.size() && i < seed.size(); ++i)
        seed_bytes[i] = static_cast<unsigned char>(seed[i]);
    std::string public_key(crypto_sign_PUBLICKEYBYTES, '\0');
    std::string secret_key(crypto_sign_SECRETKEYBYTES, '\0');
    crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(public_key.data()),
                             reinterpret_cast<unsigned char*>(secret_key.data()), seed_bytes.data());

    std::string public_blob;
    put_string(public_blob, kType);
    put_string(public_blob, public_key);

    // OpenSSH PROTOCOL.key: two equal check numbers, the key, its comment, padding 1 2 3 … to the block size (8).
    std::string private_part;
    put_number(private_part, 0x6469736B);
    put_number(private_part, 0x6469736B);
    put_string(private_part, kType);
    put_string(private_part, public_key);
    put_string(private_part, secret_key);
    put_string(private_part, comment);
    for (char pad = 1; private_part.size() % 8 != 0; ++pad) private_part += pad;

    std::string file("openssh-key-v1\0", 15);
    put_string(file, "none");
    put_string(file, "none");
    put_string(file, "");
    put_number(file, 1);
    put_string(file, public_blob);
    put_string(file, private_part);

    const auto encoded = base64(file);
    std::string private_file = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    for (std::size_t i = 0; i < encoded.size(); i += 70) private_file += encoded.substr(i, 70) + "\n";
    private_file += "-----END OPENSSH PRIVATE KEY-----\n";

    sodium_memzero(secret_key.data(), secret_key.size());
    sodium_memzero(private_part.data(), private_part.size());
    return {std::move(private_file),
            std::string(kType) + " " + base64(public_blob) + " " + std::string(comment) + "\n"};
}

}  // namespace diskless

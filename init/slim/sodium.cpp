// Replaces libsodium's core.o, whose sodium_init chooses the fastest variant of every algorithm and so takes all of
// them along (argon2, curve25519, salsa20, poly1305; 100 KB). Use crypto_sign_seed_keypair with a seed from
// getrandom(2) and crypto_generichash: they need no start-up. sodium_init is absent on purpose: a call of it does not
// link.
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

extern "C" {
[[noreturn]] void sodium_misuse() { std::abort(); }
// Locks for things that are set up once, on first use; here that is done by one thread.
int sodium_crit_enter() { return 0; }
int sodium_crit_leave() { return 0; }

// Replaces randombytes.o, which carries a generator of its own (chacha20, in three variants) for test vectors.
void randombytes_buf(void* to, size_t size) {
    auto* next = static_cast<unsigned char*>(to);
    while (size > 0) {
        const ssize_t got = getrandom(next, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) std::abort();  // a key out of no randomness would be worse
        next += got;
        size -= static_cast<size_t>(got);
    }
}
}

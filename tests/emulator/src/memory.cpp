// Guarded pages, marks and the answer to a fault.
#include "memory.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mutex>

#include "block.h"

namespace emulator {

namespace {

size_t page() {
    static const size_t bytes = size_t(sysconf(_SC_PAGESIZE));
    return bytes;
}

}  // namespace

Guarded Guarded::try_map(size_t bytes) {
    Guarded memory;
    size_t length = (bytes + page() - 1) / page() * page();
    void* all = mmap(nullptr, length + 2 * page(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return memory;
    unsigned char* first = static_cast<unsigned char*>(all) + page();
    if (mprotect(first, length, PROT_READ | PROT_WRITE) != 0) {
        munmap(all, length + 2 * page());
        return memory;
    }
    memory.first = first, memory.length = length;
    return memory;
}

Guarded Guarded::map(size_t bytes, const char* for_what) {
    Guarded memory = try_map(bytes);
    if (!memory.first) die("the system has no %zu bytes for %s", bytes, for_what);
    return memory;
}

void Guarded::unmap() const { munmap(first - page(), length + 2 * page()); }

// The pattern goes by addresses, so that a part of it is the same pattern.
void mark(unsigned char* from, unsigned char* to) {
    for (; from < to; from++) *from = uintptr_t(from) % 2 ? 0xff : 0xfe;
}

bool is_marked(const unsigned char* from, const unsigned char* to) {
    bool stands = true;
    for (; from < to; from++) stands &= *from == (uintptr_t(from) % 2 ? 0xff : 0xfe);
    return stands;
}

// ---- faults ----------------------------------------------------------------------------------------------------------

namespace {

constexpr size_t SIGNAL_STACK = 64 << 10;
struct sigaction former_actions[2];
constexpr int SIGNALS[2] = {SIGSEGV, SIGBUS};

void fault(int signal, siginfo_t* info, void* context) {
    if (here) die("touches address %p, which it may not", info->si_addr);
    // Not a kernel's: what was there before us answers. Where that is the default, coming back repeats the fault.
    struct sigaction& former = former_actions[signal == SIGSEGV ? 0 : 1];
    if (former.sa_flags & SA_SIGINFO) former.sa_sigaction(signal, info, context);
    else sigaction(signal, &former, nullptr);
}

}  // namespace

Watch::Watch() {
    static std::once_flag once;
    std::call_once(once, [] {
        struct sigaction ours = {};
        ours.sa_sigaction = fault;
        // A fault may be that of a stack that is used up, so the answer needs another.
        ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
        for (int i = 0; i < 2; i++) sigaction(SIGNALS[i], &ours, &former_actions[i]);
    });
    stack = new unsigned char[SIGNAL_STACK];
    stack_t ours = {}, before = {};
    ours.ss_sp = stack, ours.ss_size = SIGNAL_STACK;
    sigaltstack(&ours, &before);
    former = new stack_t(before);
}

Watch::~Watch() {
    stack_t* before = static_cast<stack_t*>(former);
    sigaltstack(before, nullptr);
    delete before;
    delete[] stack;
}

}  // namespace emulator

// A block of threads: who runs next, who waits for what.
//
// Threads give way only where they wait for others, and then to whoever `choose` picks: in order, or, with a seed, at
// random, so that what only works in one order is found out.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <memory>
#include <vector>

#include "emulator.h"
#include "fibre.h"
#include "memory.h"

namespace emulator {

constexpr unsigned LANES = 32;
constexpr uint32_t ALL_LANES = 0xffffffffu;
constexpr unsigned MOST_THREADS = 1024;
// What a block may have on compute capability 9.0.
constexpr unsigned MOST_SHARED = 227 << 10;

// Ends the program, after saying what is wrong and where: the kernel, the block and the thread, if one runs.
[[noreturn]] void die(const char* what, ...) __attribute__((format(printf, 1, 2)));

// What lanes of a warp do together.
enum class Collective { BARRIER, SHUFFLE, LOAD, LOAD_TRANSPOSED, B16, F16, T32 };
const char* name_of(Collective collective);

// What a lane brings, on its own stack.
struct Operands {
    float* sums;
    const uint32_t* a;
    const uint32_t* b;
    const void* row;
    uint32_t* loaded;
    float shuffled;
    int lanes;
};

// Bit i is lane i's. A lane is in one of the four.
struct Warp {
    uint32_t runnable, at_collective, at_barrier, done;
    Collective collective;  // the one that lanes wait at
    Operands operands[LANES];
};

// Copies into shared memory that a thread has begun.
struct Copy16 {
    void* to;
    const void* from;  // null: zeros
    unsigned group;
    void perform() const;
};

class Block;

struct Thread : Place {
    Block* owner;
    Warp* warp;
    unsigned lane;
    Fibre fibre;
    // From `first_copy` on they are still to be done; `groups` have been ended.
    std::vector<Copy16> copies;
    size_t first_copy;
    unsigned groups;
};

// What all blocks of a launch have in common.
struct Work {
    const char* kernel;
    Run run;
    const void* arguments;
    Triple blocks;
    unsigned threads, shared;
    uint64_t seed;
};

// What a thread of the system needs to run one block after another; kept for later launches.
class Block {
public:
    Block();
    // Runs a block of `work` from its first thread's start to its last one's end.
    void run(const Work& work, Triple index);

    // For the thread that runs now: stops it until somebody makes it runnable.
    void give_way();
    // As above, where it might go on, but others may as well.
    void pass();
    void barrier();
    [[noreturn]] void finish();
    const Work& current_work() const { return *work; }
    bool at_random() const { return work->seed != 0; }
    uint32_t random();
    bool shares(const void* from, size_t bytes) const;

private:
    Thread* choose();
    void resume(Thread* thread);
    [[noreturn]] void nobody_can_run();
    void begin_shared();
    void end_shared() const;

    const Work* work = nullptr;
    unsigned warps = 0, arrived = 0, done = 0, warp_in_turn = 0;
    uint64_t random_state = 0;
    Fibre scheduler;
    // Made as blocks ask for them, and never moved: fibres know them by address.
    std::vector<std::unique_ptr<Thread>> threads;
    Warp warp[MOST_THREADS / LANES];
    Guarded shared_pages;
    unsigned char* shared = nullptr;
};

// The thread that runs now.
inline Thread* running() { return static_cast<Thread*>(here); }

}  // namespace emulator

// The table of kernels, and launches: what `lib.rs` calls.
#include "emulator.h"

#include <stdio.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "block.h"
#include "memory.h"

namespace emulator {

namespace {

struct Kernel {
    std::string name;
    Run run;
    size_t arguments;
    unsigned threads;
};

// Inside functions, since registrations come before main, from other files, in any order.
std::unordered_map<std::string, Kernel>& kernels() {
    static auto* table = new std::unordered_map<std::string, Kernel>;
    return *table;
}

// Blocks that no thread of the system uses now. They are never given back: a fibre cannot be ended.
class Idle {
public:
    Block* take() {
        std::lock_guard<std::mutex> lock(mutex);
        if (blocks.empty()) return new Block;
        Block* block = blocks.back();
        blocks.pop_back();
        return block;
    }
    void give(Block* block) {
        std::lock_guard<std::mutex> lock(mutex);
        blocks.push_back(block);
    }

private:
    std::mutex mutex;
    std::vector<Block*> blocks;
};

Idle& idle() {
    static auto* blocks = new Idle;
    return *blocks;
}

// Every fibre has two areas of memory, of which the system gives a process some 65,000.
constexpr unsigned MOST_WORKERS = 16;

// One thread of the system's part of a launch.
void share(const Work& work, std::atomic<uint64_t>& next, uint64_t count) {
    Watch watch;
    Block* block = idle().take();
    for (uint64_t i; (i = next.fetch_add(1)) < count;) {
        // With a seed blocks begin anywhere, and with an odd one they go backwards.
        uint64_t at = (i + work.seed) % count;
        if (work.seed % 2) at = count - 1 - at;
        block->run(work, {unsigned(at % work.blocks.x), unsigned(at / work.blocks.x % work.blocks.y),
                          unsigned(at / work.blocks.x / work.blocks.y)});
    }
    idle().give(block);
}

}  // namespace

Registration::Registration(const char* name, Run run, size_t arguments, unsigned threads) {
    if (threads == 0 || threads > MOST_THREADS) die("kernel `%s` is for blocks of %u threads", name, threads);
    if (!kernels().emplace(name, Kernel{name, run, arguments, threads}).second) die("there are two kernels `%s`", name);
}

}  // namespace emulator

using namespace emulator;

// What a launch is checked against. 0: there is no such kernel.
extern "C" const void* emulator_find(const char* name, size_t length, size_t* arguments, unsigned* threads) {
    auto found = kernels().find(std::string(name, length));
    if (found == kernels().end()) return nullptr;
    *arguments = found->second.arguments, *threads = found->second.threads;
    return &found->second;
}

// Runs all blocks of a launch that has been checked; `arguments` are at a multiple of 16.
extern "C" void emulator_launch(const void* kernel, const unsigned blocks[3], unsigned threads, unsigned shared,
                                const void* arguments, uint64_t seed) {
    const Kernel& found = *static_cast<const Kernel*>(kernel);
    Work work = {found.name.c_str(), found.run, arguments, {blocks[0], blocks[1], blocks[2]}, threads, shared, seed};
    uint64_t count = uint64_t(blocks[0]) * blocks[1] * blocks[2];
    std::atomic<uint64_t> next{0};
    unsigned workers = std::min(std::max(std::thread::hardware_concurrency(), 1u), MOST_WORKERS);
    std::vector<std::thread> others;
    for (uint64_t i = 1; i < std::min<uint64_t>(workers, count); i++)
        others.emplace_back([&] { share(work, next, count); });
    share(work, next, count);
    for (std::thread& other : others) other.join();
}

// ---- the card's memory -----------------------------------------------------------------------------------------------

namespace {

// What must stay as it is on each side of an allocation, where the pages leave room for it.
constexpr size_t MARGIN = 256;

struct Allocation {
    Guarded pages;
    unsigned char* data;
    size_t bytes;
};

// The data lie at a multiple of 256, as near to the forbidden page behind them as that allows.
unsigned char* place(const Guarded& pages, size_t bytes) { return pages.end() - (bytes + 255) / 256 * 256; }

}  // namespace

// 0 where the system has no such memory.
extern "C" void* emulator_allocate(size_t bytes, unsigned char** data) {
    Guarded pages = Guarded::try_map(bytes + MARGIN);
    if (!pages.begin()) return nullptr;
    auto* allocation = new Allocation{pages, place(pages, bytes), bytes};
    mark(allocation->data - MARGIN, allocation->data);
    memset(allocation->data, 0xff, bytes);
    mark(allocation->data + bytes, pages.end());
    *data = allocation->data;
    return allocation;
}

// 0: nothing was written around it; 1: before it; 2: behind it. Says so once.
extern "C" int emulator_check(const void* handle) {
    const auto& allocation = *static_cast<const Allocation*>(handle);
    unsigned char *begin = allocation.data, *end = allocation.data + allocation.bytes;
    int damage = !is_marked(begin - MARGIN, begin) ? 1 : !is_marked(end, allocation.pages.end()) ? 2 : 0;
    if (damage) mark(begin - MARGIN, begin), mark(end, allocation.pages.end());
    return damage;
}

extern "C" void emulator_release(void* handle) {
    auto* allocation = static_cast<Allocation*>(handle);
    allocation->pages.unmap();
    delete allocation;
}

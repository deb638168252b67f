// Runs the threads of a block.
#include "block.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

namespace emulator {

__thread Place* here = nullptr;

void die(const char* what, ...) {
    char text[1024];
    int length = 0;
    if (here) {
        const Work& work = running()->owner->current_work();
        length = snprintf(text, sizeof text, "kernel `%s`, block (%u, %u, %u), thread %u: ", work.kernel, here->block.x,
                          here->block.y, here->block.z, here->thread.x);
    }
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(text + length, sizeof text - size_t(length), what, arguments);
    va_end(arguments);
    fprintf(stderr, "emulator: %s\n", text);
    fflush(stderr);
    abort();
}

// ---- threads begin and end -------------------------------------------------------------------------------------------

namespace {

void live() {
    Block* owner = running()->owner;
    owner->current_work().run(owner->current_work().arguments);
    owner->finish();
}

}  // namespace

Block::Block() : shared_pages(Guarded::map(MOST_SHARED + 2048, "shared memory")) {}

void Block::run(const Work& next, Triple index) {
    work = &next;
    warps = work->threads / LANES, arrived = 0, done = 0, warp_in_turn = 0;
    uint64_t place = index.x + uint64_t(work->blocks.x) * (index.y + uint64_t(work->blocks.y) * index.z);
    random_state = (work->seed + place * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u | 1;
    begin_shared();
    while (threads.size() < work->threads) threads.push_back(std::make_unique<Thread>());
    for (unsigned i = 0; i < work->threads; i++) {
        Thread& thread = *threads[i];
        thread.thread = {i, 0, 0}, thread.block = index;
        thread.threads = {work->threads, 1, 1}, thread.blocks = work->blocks;
        thread.shared = shared;
        thread.owner = this, thread.warp = &warp[i / LANES], thread.lane = i % LANES;
        thread.fibre.start(live, i);
        thread.copies.clear(), thread.first_copy = 0, thread.groups = 0;
    }
    for (unsigned i = 0; i < warps; i++) {
        warp[i].runnable = ALL_LANES;
        warp[i].at_collective = warp[i].at_barrier = warp[i].done = 0;
    }
    if (at_random()) warp_in_turn = random() % warps;
    here = choose();
    scheduler.switch_to(running()->fibre);
    end_shared();
    here = nullptr;
}

void Block::finish() {
    Thread* me = running();
    if (me->first_copy < me->copies.size())
        die("ends with %zu copies that nobody waited for", me->copies.size() - me->first_copy);
    me->warp->runnable &= ~(1u << me->lane);
    me->warp->done |= 1u << me->lane;
    if (++done == work->threads) me->fibre.switch_to(scheduler);
    else give_way();
    // Nobody goes on with this fibre before it is started again.
    abort();
}

// ---- who runs next ---------------------------------------------------------------------------------------------------

uint32_t Block::random() {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return uint32_t(random_state >> 32);
}

Thread* Block::choose() {
    // Now and then another warp's turn comes though this one could go on.
    if (at_random() && (!warp[warp_in_turn].runnable || random() % 16 == 0)) warp_in_turn = random() % warps;
    for (unsigned i = 0; i < warps; i++) {
        uint32_t runnable = warp[warp_in_turn].runnable;
        if (runnable) {
            if (at_random())
                for (uint32_t skip = random() % unsigned(__builtin_popcount(runnable)); skip > 0; skip--) runnable &= runnable - 1;
            return threads[warp_in_turn * LANES + unsigned(__builtin_ctz(runnable))].get();
        }
        warp_in_turn = warp_in_turn + 1 == warps ? 0 : warp_in_turn + 1;
    }
    return nullptr;
}

void Block::resume(Thread* thread) {
    Thread* me = running();
    if (thread == me) return;
    here = thread;
    me->fibre.switch_to(thread->fibre);
}

void Block::give_way() {
    Thread* next = choose();
    if (!next) nobody_can_run();
    resume(next);
}

void Block::pass() {
    if (at_random()) resume(choose());
}

void Block::nobody_can_run() {
    unsigned at_barrier = 0, at_collective = 0;
    const char* collective = "";
    for (unsigned i = 0; i < warps; i++) {
        at_barrier += unsigned(__builtin_popcount(warp[i].at_barrier));
        at_collective += unsigned(__builtin_popcount(warp[i].at_collective));
        if (warp[i].at_collective) collective = name_of(warp[i].collective);
    }
    if (at_collective)
        die("deadlock: %u lanes wait at %s, %u threads wait at __syncthreads and %u of %u have ended", at_collective, collective,
            at_barrier, done, work->threads);
    die("deadlock: %u threads wait at __syncthreads and %u of %u have ended", at_barrier, done, work->threads);
}

void Block::barrier() {
    Thread* me = running();
    me->warp->runnable &= ~(1u << me->lane);
    me->warp->at_barrier |= 1u << me->lane;
    if (++arrived < work->threads) return give_way();
    arrived = 0;
    if (at_random()) warp_in_turn = random() % warps;
    for (unsigned i = 0; i < warps; i++) warp[i].runnable = ALL_LANES, warp[i].at_barrier = 0;
    pass();
}

void block_barrier() { running()->owner->barrier(); }

// ---- shared memory -----------------------------------------------------------------------------------------------------

// It lies as far back as its alignment to 1024 bytes lets it, so that what goes past its end touches the forbidden page or
// the marks before that.
void Block::begin_shared() {
    shared = shared_pages.end() - (work->shared + 1023) / 1024 * 1024;
    mark(shared - 1024, shared);
    memset(shared, 0xff, work->shared);
    mark(shared + work->shared, shared_pages.end());
}

void Block::end_shared() const {
    if (!is_marked(shared - 1024, shared)) die("the block wrote before its shared memory");
    if (!is_marked(shared + work->shared, shared_pages.end()))
        die("the block wrote behind the %u bytes of its shared memory", work->shared);
}

bool Block::shares(const void* from, size_t bytes) const {
    const unsigned char* at = static_cast<const unsigned char*>(from);
    return at >= shared && at + bytes <= shared + work->shared;
}

}  // namespace emulator

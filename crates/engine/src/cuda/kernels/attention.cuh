// Attention: 64 queries of one head a block, over 64 keys at a time, so that scores never exist as a whole (Dao, 2023,
// "FlashAttention-2", algorithm 1). Scores, their softmax and its sums are f32; with 16-bit numbers the shares are rounded
// to 16 bits before they weigh the values, as the tensor cores take them.
//
// A task says what a block is to do:
//     query                   its first query
//     queries, begin, end     how many there are in all; the keys that these see are from `begin` to before `end`
//     q_row(i), k_row(i)      the row that a query or a key is
//     head, key_head          which head of a row
//     score(x, query, key, unit)  a score, with what is added to it, in such units; -INFINITY where the key is not seen
#pragma once
#include "device.cuh"

namespace {

constexpr int ATTENTION_THREADS = 128;
constexpr float LOG2_E = 1.44269504f;

// With 16-bit numbers, by the tensor cores; a warp has 16 queries. DEPTH: the head's depth, rounded up to sixteens.
template <class E, int DEPTH, class Task, class Arguments> DEVICE void attention16(const Arguments& a, const Task& task) {
    SHARED(shared);
    constexpr int KEYS = 64, STEPS = DEPTH / 16;
    // A row is an odd number of times 16 bytes long: eight rows' pieces lie in different banks.
    constexpr int PITCH = DEPTH * 2 + 16, TILE = 64 * PITCH;
    int lane = threadIdx.x % 32, warp_row = threadIdx.x / 32 * 16;

    auto fetch = [&](unsigned char* tile, Address from, int first, int count, auto row_of, int head, int stride) {
        for (int at = threadIdx.x; at < 64 * (DEPTH / 8); at += ATTENTION_THREADS) {
            int row = at / (DEPTH / 8), piece = at % (DEPTH / 8);
            bool there = first + row < count && piece * 8 < a.depth;
            size_t number = there ? row_of(first + row) * stride + head * a.depth + piece * 8 : 0;
            copy16(tile + row * PITCH + piece * 16, pointer<const unsigned char>(from) + number * 2, there);
        }
    };
    auto q_row = [&](int i) { return task.q_row(i); };
    auto k_row = [&](int i) { return task.k_row(i); };
    // Queries, then two stages of keys and values.
    auto stage = [&](int tile) { return shared + TILE + tile % 2 * (2 * TILE); };
    auto fetch_keys = [&](int tile) {
        fetch(stage(tile), a.k, tile * KEYS, task.end, k_row, task.key_head, a.k_stride);
        fetch(stage(tile) + TILE, a.v, tile * KEYS, task.end, k_row, task.key_head, a.k_stride);
        copies_end();
    };
    int begin = task.begin / KEYS, tiles = blocks_of(task.end, KEYS);
    fetch(shared, a.q, task.query, task.queries, q_row, task.head, a.q_stride);
    fetch_keys(begin);

    uint32_t queries[STEPS][4];
    float out[DEPTH / 8][4] = {};
    // Of the rows lane / 4 and lane / 4 + 8.
    float largest[2] = {-INFINITY, -INFINITY}, total[2] = {0.f, 0.f};
    for (int tile = begin; tile < tiles; tile++) {
        if (tile + 1 < tiles) fetch_keys(tile + 1);
        else copies_end();
        copies_wait<1>();
        __syncthreads();
        if (tile == begin)
            for (int k = 0; k < STEPS; k++)
                load_matrices(queries[k], shared + (warp_row + lane % 16) * PITCH + (2 * k + lane / 16) * 16);
        unsigned char *keys = stage(tile), *values = keys + TILE;

        float scores[KEYS / 8][4] = {};
#pragma unroll
        for (int k = 0; k < STEPS; k++)
            for (int j = 0; j < KEYS / 8; j += 2) {
                uint32_t both[4];
                load_matrices(both, keys + (8 * j + lane / 16 * 8 + lane % 8) * PITCH + (2 * k + lane / 8 % 2) * 16);
                uint32_t low[2] = {both[0], both[1]}, high[2] = {both[2], both[3]};
                multiply<E>(scores[j], queries[k], low);
                multiply<E>(scores[j + 1], queries[k], high);
            }

        // In powers of 2. What is no key of this group, or is not seen, weighs nothing.
        float tops[2] = {largest[0], largest[1]};
        for (int j = 0; j < KEYS / 8; j++)
            for (int i = 0; i < 4; i++) {
                int key = tile * KEYS + 8 * j + lane % 4 * 2 + i % 2;
                int query = task.query + warp_row + lane / 4 + i / 2 * 8;
                scores[j][i] = task.score(scores[j][i] * (a.scale * LOG2_E), query, key, LOG2_E);
                tops[i / 2] = fmaxf(tops[i / 2], scores[j][i]);
            }
        float shrink[2];
        for (int half = 0; half < 2; half++) {
            tops[half] = fmaxf(tops[half], shuffle_xor(tops[half], 1));
            tops[half] = fmaxf(tops[half], shuffle_xor(tops[half], 2));
            // Where nothing was seen yet, any number does: everything is weighed by 0.
            float top = tops[half] == -INFINITY ? 0.f : tops[half];
            shrink[half] = power_of_2<E>(largest[half] - top);
            largest[half] = tops[half];
            tops[half] = top;
            total[half] *= shrink[half];
        }
        for (int j = 0; j < DEPTH / 8; j++)
            for (int i = 0; i < 4; i++) out[j][i] *= shrink[i / 2];
        uint32_t shares[KEYS / 16][4];
        for (int j = 0; j < KEYS / 8; j++) {
            for (int i = 0; i < 4; i++) {
                scores[j][i] = power_of_2<E>(scores[j][i] - tops[i / 2]);
                total[i / 2] += scores[j][i];
            }
            shares[j / 2][j % 2 * 2] = Pair<E>::pack(scores[j][0], scores[j][1]);
            shares[j / 2][j % 2 * 2 + 1] = Pair<E>::pack(scores[j][2], scores[j][3]);
        }
#pragma unroll
        for (int k = 0; k < KEYS / 16; k++)
            for (int j = 0; j < DEPTH / 8; j += 2) {
                uint32_t both[4];
                load_transposed(both, values + (16 * k + lane % 16) * PITCH + (j + lane / 16) * 16);
                uint32_t low[2] = {both[0], both[1]}, high[2] = {both[2], both[3]};
                multiply<E>(out[j], shares[k], low);
                multiply<E>(out[j + 1], shares[k], high);
            }
        // Before the stage is filled anew.
        __syncthreads();
    }
    copies_wait<0>();

    float whole[2];
    for (int half = 0; half < 2; half++) {
        total[half] += shuffle_xor(total[half], 1);
        total[half] += shuffle_xor(total[half], 2);
        whole[half] = reciprocal<E>(total[half]);
    }
    // Through the queries' own memory, whose rows here only this warp has read, to store 16 bytes at a time.
    for (int j = 0; j < DEPTH / 8; j++)
        for (int half = 0; half < 2; half++) {
            unsigned char* row = shared + (warp_row + lane / 4 + 8 * half) * PITCH;
            *reinterpret_cast<uint32_t*>(row + 16 * j + lane % 4 * 4) =
                Pair<E>::pack(out[j][2 * half] * whole[half], out[j][2 * half + 1] * whole[half]);
        }
    __syncwarp();
    for (int at = lane; at < 16 * (DEPTH / 8); at += 32) {
        int row = warp_row + at / (DEPTH / 8), piece = at % (DEPTH / 8), query = task.query + row;
        if (query < task.queries && piece * 8 < a.depth) {
            pointer<Quad>(a.out)[(task.q_row(query) * a.out_stride + task.head * a.depth) / 8 + piece] =
                *reinterpret_cast<const Quad*>(shared + row * PITCH + piece * 16);
        }
    }
}

// In f32, whatever numbers are stored as; four lanes have a query, each a quarter of its numbers, four by four in turn.
template <class E, int DEPTH, class Task, class Arguments> DEVICE void attention32(const Arguments& a, const Task& task) {
    SHARED(shared);
    constexpr int KEYS = 32, OWN = DEPTH / 16;
    float *keys = reinterpret_cast<float*>(shared), *values = keys + KEYS * DEPTH;
    int query = task.query + threadIdx.x / 4, lane = threadIdx.x % 4;
    bool there = query < task.queries;
    size_t place = task.q_row(there ? query : 0);
    float own[OWN][4], out[OWN][4] = {}, largest = -INFINITY, total = 0.f;
    for (int i = 0; i < OWN; i++)
        for (int j = 0; j < 4; j++) {
            int at = 16 * i + 4 * lane + j;
            own[i][j] = at < a.depth ? load1<E>(a.q, place * a.q_stride + task.head * a.depth + at) : 0.f;
        }
    for (int first = task.begin / KEYS * KEYS; first < task.end; first += KEYS) {
        int count = least(KEYS, task.end - first);
        __syncthreads();
        for (int at = threadIdx.x; at < count * DEPTH; at += ATTENTION_THREADS) {
            int row = at / DEPTH, number = at % DEPTH;
            size_t from = task.k_row(first + row) * a.k_stride + task.key_head * a.depth + number;
            keys[at] = number < a.depth ? load1<E>(a.k, from) : 0.f;
            values[at] = number < a.depth ? load1<E>(a.v, from) : 0.f;
        }
        __syncthreads();
        for (int key = 0; key < count; key++) {
            float score = 0.f;
            for (int i = 0; i < OWN; i++)
                for (int j = 0; j < 4; j++) score = fmaf(own[i][j], keys[key * DEPTH + 16 * i + 4 * lane + j], score);
            score += shuffle_xor(score, 1);
            score += shuffle_xor(score, 2);
            score = task.score(score * a.scale, query, first + key, 1.f);
            float top = fmaxf(largest, score);
            // Nothing seen yet: weighed by 0, whatever is taken off.
            float base = top == -INFINITY ? 0.f : top;
            float shrink = exp2f((largest - base) * LOG2_E), share = exp2f((score - base) * LOG2_E);
            largest = top;
            total = fmaf(total, shrink, share);
            for (int i = 0; i < OWN; i++)
                for (int j = 0; j < 4; j++)
                    out[i][j] = fmaf(share, values[key * DEPTH + 16 * i + 4 * lane + j], out[i][j] * shrink);
        }
    }
    if (!there) return;
    for (int i = 0; i < OWN; i++)
        for (int j = 0; j < 4; j++) {
            int at = 16 * i + 4 * lane + j;
            if (at < a.depth)
                store1<E>(out[i][j] / total, a.out, place * a.out_stride + task.head * a.depth + at);
        }
    // What comes after the last head is read as well, if only to be multiplied by zeros.
    if (task.head == a.heads - 1 && lane == 0)
        for (int at = a.heads * a.depth; at < a.out_stride; at++) store1<E>(0.f, a.out, place * a.out_stride + at);
}

}  // namespace

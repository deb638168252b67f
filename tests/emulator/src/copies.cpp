// Copies into shared memory that go on while threads work. A card does them at any time between their beginning and the
// wait that covers them; the emulation at the last moment, so that who reads too early sees what was there before, or, at
// random, at the first, so that who begins them too early overwrites what others still read.
#include "block.h"

namespace emulator {

void Copy16::perform() const {
    if (from) memcpy(to, from, 16);
    else memset(to, 0, 16);
}

void copy16(void* to, const void* from, bool there) {
    Thread* me = running();
    if (uintptr_t(to) % 16 != 0) die("copy16 to %p, which is no multiple of 16", to);
    if (uintptr_t(from) % 16 != 0) die("copy16 from %p, which is no multiple of 16", from);
    if (!me->owner->shares(to, 16))
        die("copy16 to byte %td of %u of shared memory", static_cast<unsigned char*>(to) - me->shared, me->owner->current_work().shared);
    if (there && !from) die("copy16 from address 0");
    Copy16 copy = {to, there ? from : nullptr, me->groups};
    if (me->owner->at_random() && me->owner->random() % 2) copy.perform();
    else me->copies.push_back(copy);
}

void copies_end() { running()->groups++; }

void copies_wait(int left) {
    Thread* me = running();
    // Those of a group that has not been ended are not waited for, whatever is left.
    while (me->first_copy < me->copies.size()) {
        const Copy16& copy = me->copies[me->first_copy];
        if (int64_t(copy.group) >= int64_t(me->groups) - left) return;
        copy.perform();
        me->first_copy++;
    }
    me->copies.clear(), me->first_copy = 0;
}

}  // namespace emulator

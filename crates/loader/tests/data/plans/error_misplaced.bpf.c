/* expect: program `first` is not referenced by any ops structure; `late` (struct tcp_congestion_ops) is none, for it stands in section `.struct_ops.lnk`: write SEC(".struct_ops.link") before it */
#include "ops.h"
struct tcp_congestion_ops { u32 (*ssthresh)(struct sock *sk); char name[16]; };
PROGRAM(first)
SEC(".struct_ops.lnk") struct tcp_congestion_ops late = { .ssthresh = (void *)first, .name = "late" };

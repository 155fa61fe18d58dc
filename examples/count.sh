#!/bin/bash
# A shell script with several turns: saves when it gets SIGUSR1, and asks for another turn by exit code 85.
#
#   rota batch examples/count.sh
#
#ROTA --checkpoint count.txt --name shell-count
target=${1:-60}
pace=${2:-0.1}
file=${ROTA_CHECKPOINT:-count.txt}

n=0
sum=0
[ -e "$file" ] && read -r n sum < "$file"
echo "turn ${ROTA_TURN:-1}: going on after $n"

save() { echo "$n $sum" > "$file.tmp" && mv "$file.tmp" "$file"; }
trap 'save; exit 85' USR1

while [ "$n" -lt "$target" ]; do
    sleep "$pace"
    next=$((n + 1))
    # Both change together: the trap runs between two commands, never inside one.
    n=$next sum=$(((sum * 31 + next * next) % 1000000007))
done
save
echo "checksum $sum"

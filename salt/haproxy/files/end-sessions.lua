-- Managed by Salt. Ends the sessions of servers that have been down for a moment: whoever was just being refused by one has
-- been told by then. HAProxy's own on-marked-down shutdown-sessions ends them at once, and forgets a client that is being
-- refused right then: docs/failover-model.md. Source: HAProxy's Lua API, classes Core, Proxy and Server.
local AFTER_MS = 200
local LOOK_MS = 100
local down_ms = {}

local function look()
    for backend, proxy in pairs(core.backends) do
        for name, server in pairs(proxy.servers) do
            local key = backend .. "/" .. name
            if string.find(server:get_stats().status, "^DOWN") then
                down_ms[key] = (down_ms[key] or 0) + LOOK_MS
                if down_ms[key] > AFTER_MS then
                    server:shut_sess()
                end
            else
                down_ms[key] = nil
            end
        end
    end
end

core.register_task(function()
    while true do
        local well, why = pcall(look)
        if not well then
            core.Alert("sessions of servers that are down can't be ended: " .. tostring(why))
        end
        core.msleep(LOOK_MS)
    end
end)
